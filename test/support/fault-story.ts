import type { CameraFault, RtspServer } from '../../src/demo/rtsp/server.js';
import type { CameraReason } from '../../src/domain/camera.js';
import type { FfmpegBinary } from '../../src/ingest/ffmpeg-binary.js';
import { isAlive } from './ingest-clips.js';
import { WatchedCamera } from './watched-camera.js';

export interface FaultCase {
  readonly name: string;
  readonly fault: CameraFault;
  /** Reasons of which a client is told one; `null`: pictures go on, and nobody is bothered. */
  readonly told: readonly CameraReason[] | null;
}

/** Every fault of a simulated camera that lasts, and what a client may be told of it. */
export function faultCases(otherClip: string): FaultCase[] {
  const gone: CameraReason[] = ['no_frames', 'process_exited', 'unreachable', 'refused'];
  return [
    { name: 'drops everybody once', fault: { kind: 'drop' }, told: gone },
    { name: 'frozen', fault: { kind: 'freeze' }, told: ['no_frames'] },
    { name: 'refuses', fault: { kind: 'refuse' }, told: gone },
    { name: 'black hole', fault: { kind: 'black_hole' }, told: ['no_frames'] },
    { name: 'half-open TCP', fault: { kind: 'half_open' }, told: ['no_frames'] },
    { name: '404', fault: { kind: 'not_found' }, told: ['not_found'] },
    { name: 'wrong password', fault: { kind: 'wrong_password' }, told: ['unauthorized'] },
    { name: '5 % of packets lost', fault: { kind: 'packet_loss', share: 0.05 }, told: null },
    { name: '20 % of packets reordered', fault: { kind: 'reorder', share: 0.2 }, told: null },
    { name: '10 % of packets damaged', fault: { kind: 'corrupt', share: 0.1 }, told: null },
    { name: 'time leaps an hour ahead', fault: { kind: 'time_jump', seconds: 3600 }, told: null },
    { name: 'time leaps an hour back', fault: { kind: 'time_jump', seconds: -3600 }, told: null },
    { name: 'time stands still', fault: { kind: 'time_still' }, told: ['no_frames'] },
    { name: 'another size in mid-stream', fault: { kind: 'other_clip', file: otherClip }, told: null },
  ];
}

export interface FaultStory {
  /** From the fault to the change of state that tells it, ms; `null`: pictures went on. */
  readonly noticedMs: number | null;
  /** From the end of the fault to the next picture, ms. */
  readonly recoveredMs: number;
  readonly told: string;
  /** Pictures while the fault lasted, where it does not stop them. */
  readonly framesMeanwhile: number;
  /** ffmpeg processes at the end. */
  readonly leftProcesses: number;
  readonly restarts: number;
  readonly sizes: readonly string[];
  readonly clockJumps: number;
  /** Whose time pictures bear at the end. */
  readonly timestamps: 'stream' | 'arrival' | undefined;
}

const FRAMES_MEANWHILE = 15;

/** One camera, one fault, one recovery. Rejects where the camera does not come back. */
export async function playFault(
  { fault, told }: FaultCase,
  options: {
    readonly server: RtspServer;
    readonly path: string;
    readonly transport: 'tcp' | 'udp';
    readonly binary: FfmpegBinary;
    readonly username?: string;
    readonly password?: string;
  },
): Promise<FaultStory> {
  const { server, path, ...rest } = options;
  const sizes = new Set<string>();
  const camera = new WatchedCamera({
    ...rest,
    url: server.url(path),
    timeouts: { deniedMaxMs: 400 },
    onFrame: ({ sourceWidth, sourceHeight }) => sizes.add(`${sourceWidth}×${sourceHeight}`),
  }).start();
  try {
    await camera.frames(3);
    const from = camera.statuses.length;
    const framesBefore = camera.frameIds.length;
    const faultMs = performance.now();
    server.setFault(path, fault);
    let noticedMs: number | null = null;
    let words = 'nothing: pictures go on';
    if (told) {
      const tells = () =>
        camera.statuses
          .slice(from)
          .find(({ reason, state }) => state !== 'connecting' && state !== 'live' && told.includes(reason));
      await camera.until(() => tells() !== undefined, `${told.join(' or ')}`, 60_000);
      noticedMs = performance.now() - faultMs;
      const { reason, message = '' } = tells()!;
      words = `${reason}: ${message}`;
    } else await camera.frames(FRAMES_MEANWHILE);
    // A stream whose time stands still comes back by itself: it is counted otherwise.
    if (fault.kind === 'time_still') await camera.frames(FRAMES_MEANWHILE);
    const framesMeanwhile = camera.frameIds.length - framesBefore;
    const clearedMs = performance.now();
    server.clearFault(path);
    await camera.frames(1);
    const recoveredMs = performance.now() - clearedMs;
    await camera.frames(3);
    const status = camera.supervisor.status();
    await camera.stop();
    return {
      ...{ noticedMs, recoveredMs, told: words, framesMeanwhile, restarts: status.restarts },
      leftProcesses: camera.pids.filter(isAlive).length,
      sizes: [...sizes],
      clockJumps: status.timing?.jumps ?? 0,
      timestamps: status.stream?.timestamps,
    };
  } finally {
    server.clearFault(path);
    await camera.stop();
  }
}
