import type { Clock } from '../lib/clock.js';
import { type Random, seededRandom } from '../lib/random.js';
import type { CameraFault, RtspServer } from './rtsp/server.js';

/** A clip that may take a camera's place in mid-stream, and what people are told of it. */
export interface ChaosClip {
  readonly file: string;
  readonly words: string;
}

export interface ChaosPlanOptions {
  readonly cameras: readonly { readonly id: string; readonly file: string }[];
  readonly clips: readonly ChaosClip[];
  /** Mean time from one fault to the next, ms. */
  readonly everyMs: number;
  /** The same seed gives the same faults at the same times. */
  readonly seed: number;
}

export interface ChaosOptions extends ChaosPlanOptions {
  readonly server: Pick<RtspServer, 'setFault' | 'clearFault'>;
  readonly clock: Clock;
  /** One line per fault: what, which camera, how long; and one at its end. */
  readonly say: (line: string) => void;
}

/** What happens to a camera, ms after the beginning; `fault: null` is its end. */
export interface ChaosEvent {
  readonly atMs: number;
  readonly cameraId: string;
  readonly fault: CameraFault | null;
  readonly words: string;
}

/** How long a fault lasts, ms. */
const LASTS_MS = [4_000, 25_000] as const;

/**
 * Lets faults happen to simulated cameras until `signal` aborts; then all of them are well. Never more than half of
 * them are ill at a time: the other half shows that nothing happens to it. A single camera is left alone.
 */
export async function runChaos(options: ChaosOptions, signal: AbortSignal): Promise<void> {
  const { server, clock, say } = options;
  const beganMs = clock.monotonicMs();
  const ill = new Set<string>();
  try {
    for (const { atMs, cameraId, fault, words } of planChaos(options)) {
      await clock.sleep(Math.max(0, beganMs + atMs - clock.monotonicMs()), signal);
      say(`${cameraId} ${words}`);
      if (fault) {
        ill.add(cameraId);
        server.setFault(`/${cameraId}`, fault);
      } else {
        ill.delete(cameraId);
        server.clearFault(`/${cameraId}`);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const id of ill) server.clearFault(`/${id}`);
  }
}

/**
 * Without end, in the order of time. On a time line of its own: what a busy machine does to timers changes neither
 * which faults come nor to whom.
 */
export function* planChaos({ cameras, clips, everyMs, seed }: ChaosPlanOptions): Generator<ChaosEvent> {
  const random = seededRandom(seed);
  const most = Math.floor(cameras.length / 2);
  const endsMs = new Map<string, number>();
  if (most === 0) return;
  for (let nowMs = 0; ; ) {
    nowMs += everyMs * random.between(0.5, 1.5);
    const over = [...endsMs].filter(([, endMs]) => endMs <= nowMs).sort(([, a], [, b]) => a - b);
    for (const [cameraId, atMs] of over) {
      endsMs.delete(cameraId);
      yield { atMs, cameraId, fault: null, words: 'is well again' };
    }
    if (endsMs.size >= most) continue;
    const well = cameras.filter(({ id }) => !endsMs.has(id));
    const camera = well[random.index(well.length)]!;
    const lastsMs = random.between(...LASTS_MS);
    const { fault, words } = drawFault(
      clips.filter(({ file }) => file !== camera.file),
      random,
    );
    endsMs.set(camera.id, nowMs + lastsMs);
    const seconds = (lastsMs / 1000).toFixed(0);
    yield { atMs: nowMs, cameraId: camera.id, fault, words: `${words} for ${seconds} s` };
  }
}

function drawFault(
  clips: readonly ChaosClip[],
  random: Random,
): { readonly fault: CameraFault; readonly words: string } {
  const chance = { share: random.between(0.02, 0.2), seed: random.index(2 ** 31) };
  const percent = `${(chance.share * 100).toFixed(0)} % of its packets`;
  const seconds = Math.round(random.between(-7200, 7200));
  const clip = clips[random.index(Math.max(1, clips.length))];
  const faults: { fault: CameraFault; words: string }[] = [
    { fault: { kind: 'drop' }, words: 'drops its connections once, is then left alone' },
    { fault: { kind: 'freeze' }, words: 'hangs' },
    { fault: { kind: 'refuse' }, words: 'refuses connections' },
    { fault: { kind: 'black_hole' }, words: 'answers nothing any more' },
    { fault: { kind: 'half_open' }, words: 'is gone without a word' },
    { fault: { kind: 'not_found' }, words: 'answers 404' },
    { fault: { kind: 'wrong_password' }, words: 'refuses the password' },
    { fault: { kind: 'no_transport', transports: ['tcp'] }, words: 'serves no TCP' },
    { fault: { kind: 'packet_loss', ...chance }, words: `loses ${percent}` },
    { fault: { kind: 'reorder', ...chance }, words: `mixes up ${percent}` },
    { fault: { kind: 'corrupt', ...chance }, words: `damages ${percent}` },
    { fault: { kind: 'time_jump', seconds }, words: `has its clock set by ${seconds} s, is then left alone` },
    { fault: { kind: 'time_still' }, words: 'has its clock stand still' },
    ...(clip ? [{ fault: { kind: 'other_clip' as const, file: clip.file }, words: clip.words }] : []),
  ];
  return faults[random.index(faults.length)]!;
}
