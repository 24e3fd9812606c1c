import type { CameraCondition } from '../../src/domain/camera.js';
import type { FfmpegBinary } from '../../src/ingest/ffmpeg-binary.js';
import { FileSource } from '../../src/ingest/file-source.js';
import { PictureHealth, type PictureHealthOptions } from '../../src/ingest/picture-health.js';
import { PictureSampler } from '../../src/ingest/picture-statistics.js';
import { systemClock } from '../../src/lib/clock.js';

export interface ToldCondition {
  readonly condition: CameraCondition;
  /** Seconds of the clip. */
  readonly fromSeconds: number;
  /** `null`: it lasted to the end. */
  readonly toSeconds: number | null;
  readonly beganSeconds: number;
}

export interface WatchedClip {
  readonly frames: number;
  readonly told: readonly ToldCondition[];
  /** CPU of the statistics, and of what is made of them, ms a picture. */
  readonly statisticsMs: number;
  readonly judgeMs: number;
}

/** Takes a clip through ffmpeg, the statistics and picture health, in the clip's own time. */
export async function watchClip(
  path: string,
  options: {
    readonly binary: FfmpegBinary;
    readonly rateFps: number;
    readonly health: PictureHealthOptions;
    readonly seconds?: number;
  },
): Promise<WatchedClip> {
  const { binary, rateFps } = options;
  const source = new FileSource({
    ...{ cameraId: path, path, binary, clock: systemClock },
    analysis: { rateFps, widthPx: 640, heightPx: 360 },
  });
  const sampler = new PictureSampler();
  const health = new PictureHealth(options.health);
  const told: { -readonly [K in keyof ToldCondition]: ToldCondition[K] }[] = [];
  let frames = 0;
  let statisticsMs = 0;
  let judgeMs = 0;
  let lastMs = 0;
  const end = await source.run(
    {
      frame: (frame) => {
        const { buffer, byteOffset, width, height, contentWidth, contentHeight } = frame.pixels;
        const data = new Uint8Array(buffer, byteOffset, width * height * 3);
        const startMs = performance.now();
        const picture = sampler.measure({ data, width, height, contentWidth, contentHeight });
        const measuredMs = performance.now();
        const at = { monotonicMs: frame.monotonicMs, wallMs: frame.monotonicMs };
        for (const { condition, isOn, sinceMs } of picture ? health.observe(picture, at) : []) {
          const seconds = frame.monotonicMs / 1000;
          const open = told.findLast((entry) => entry.condition === condition && entry.toSeconds === null);
          if (isOn)
            told.push({ condition, fromSeconds: seconds, toSeconds: null, beganSeconds: sinceMs / 1000 });
          else if (open) open.toSeconds = seconds;
        }
        statisticsMs += measuredMs - startMs;
        judgeMs += performance.now() - measuredMs;
        lastMs = frame.monotonicMs;
        frames++;
        frame.release();
      },
      // While a file is read the decoder is some pictures ahead of what comes out.
      damaged: (share) => health.damaged(share, lastMs),
      dropped: () => {},
    },
    new AbortController().signal,
  );
  if (end.reason !== 'end_of_file') throw new Error(`${path} was not read to its end: ${end.message}`);
  return { frames, told, statisticsMs: statisticsMs / frames, judgeMs: judgeMs / frames };
}
