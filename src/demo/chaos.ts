import type { Clock } from '../lib/clock.js';
import { type Random, seededRandom } from '../lib/random.js';
import type { CameraFault, RtspServer } from './rtsp/server.js';

export interface ChaosOptions {
  readonly server: Pick<RtspServer, 'setFault' | 'clearFault'>;
  readonly cameraIds: readonly string[];
  /** Clips of which one may take a camera's place in mid-stream. */
  readonly clips: readonly string[];
  /** Mean time from one fault to the next, ms. */
  readonly everyMs: number;
  /** The same seed gives the same faults. */
  readonly seed: number;
  readonly clock: Clock;
  /** One line per fault: what, which camera, how long. */
  readonly say: (line: string) => void;
}

/** How long a fault lasts, ms. */
const LASTS_MS = [4_000, 25_000] as const;

/**
 * Lets faults happen to simulated cameras until `signal` aborts; then all of them are well. Never more than half of
 * them are ill at a time: the other half shows that nothing happens to it.
 */
export async function runChaos(options: ChaosOptions, signal: AbortSignal): Promise<void> {
  const { server, cameraIds, clock, say } = options;
  const random = seededRandom(options.seed);
  const ill = new Map<string, Promise<void>>();
  const most = Math.floor(cameraIds.length / 2);
  try {
    while (!signal.aborted) {
      await clock.sleep(options.everyMs * random.between(0.5, 1.5), signal);
      const well = cameraIds.filter((id) => !ill.has(id));
      if (ill.size >= most || well.length === 0) continue;
      const id = well[random.index(well.length)] as string;
      const { fault, words } = drawFault(options.clips, random);
      const lastsMs = random.between(...LASTS_MS);
      say(`${id} ${words} for ${(lastsMs / 1000).toFixed(0)} s`);
      server.setFault(`/${id}`, fault);
      const over = clock.sleep(lastsMs, signal).then(
        () => {
          server.clearFault(`/${id}`);
          ill.delete(id);
          say(`${id} is well again`);
        },
        () => {}, // Stopped: made well below.
      );
      ill.set(id, over);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(ill.values());
    for (const id of ill.keys()) server.clearFault(`/${id}`);
  }
}

function drawFault(clips: readonly string[], random: Random): { fault: CameraFault; words: string } {
  const share = random.between(0.02, 0.2);
  const percent = `${(share * 100).toFixed(0)} % of its packets`;
  const seconds = Math.round(random.between(-7200, 7200));
  const faults: { fault: CameraFault; words: string }[] = [
    { fault: { kind: 'freeze' }, words: 'hangs' },
    { fault: { kind: 'refuse' }, words: 'refuses connections' },
    { fault: { kind: 'black_hole' }, words: 'answers nothing any more' },
    { fault: { kind: 'half_open' }, words: 'is gone without a word' },
    { fault: { kind: 'not_found' }, words: 'answers 404' },
    { fault: { kind: 'wrong_password' }, words: 'refuses the password' },
    { fault: { kind: 'packet_loss', share }, words: `loses ${percent}` },
    { fault: { kind: 'reorder', share }, words: `mixes up ${percent}` },
    { fault: { kind: 'corrupt', share }, words: `damages ${percent}` },
    { fault: { kind: 'time_jump', seconds }, words: `has its clock leap by ${seconds} s` },
    { fault: { kind: 'time_still' }, words: 'has its clock stand still' },
    ...clips.map((file) => ({
      fault: { kind: 'other_clip' as const, file },
      words: 'shows another clip',
    })),
  ];
  // However many clips there are, each kind of fault comes as often.
  const others = faults.length - clips.length;
  const index = random.index(others + Math.min(1, clips.length));
  return faults[index < others ? index : others + random.index(clips.length)]!;
}
