import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Box } from '../../domain/box.js';
import { ownedCommand } from '../../ingest/child-processes.js';
import type { FfmpegBinary } from '../../ingest/ffmpeg-binary.js';
import { AppError } from '../../lib/errors.js';
import type { FacelessKind, FacelessPlan, FacelessSource } from './faceless-picture.js';

interface ClipPart {
  readonly file: string;
  readonly kind: FacelessKind;
  readonly region: Box;
  /** Moments that somebody looked at and that show no face in the region, seconds. */
  readonly atSeconds: readonly number[];
}

const whole = (width: number, height: number): Box => ({ x: 0, y: 0, width, height });

/** Chosen by eye. Nobody turns round in these moments of the second clip; at the table all stand with their backs to us. */
const CLIP_PARTS: readonly ClipPart[] = [
  {
    ...{ file: 'negative-mask-on-bench.mp4', kind: 'mask_on_bench' },
    region: whole(1280, 720),
    atSeconds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
  },
  {
    ...{ file: 'negative-mask-on-bench.mp4', kind: 'mask_on_bench' },
    region: { x: 200, y: 170, width: 640, height: 480 },
    atSeconds: [0.4, 1.4, 2.4, 3.4, 4.4, 5.4, 6.4, 7.4, 8.4],
  },
  {
    ...{ file: 'negative-mask-on-bench.mp4', kind: 'mask_on_bench' },
    region: { x: 320, y: 240, width: 400, height: 360 },
    atSeconds: [0.2, 0.7, 1.2, 1.7, 2.2, 2.7, 3.2, 3.7, 4.2],
  },
  {
    ...{ file: 'one-by-one-person.mp4', kind: 'person_from_behind' },
    region: whole(768, 432),
    atSeconds: [2, 6, 7, 8, 12, 16, 23, 24, 27, 32, 38, 42, 46, 51, 52, 56, 60, 64, 66, 79, 82, 88, 93, 94],
  },
  {
    ...{ file: 'one-by-one-person.mp4', kind: 'person_from_behind' },
    region: whole(768, 432),
    atSeconds: [98, 104, 110, 116, 124, 125, 127, 131, 133],
  },
  {
    ...{ file: 'one-by-one-person.mp4', kind: 'person_from_behind' },
    region: { x: 320, y: 0, width: 320, height: 240 },
    atSeconds: [10, 14, 25, 30, 36, 40, 54, 58, 62, 65, 80, 83, 96, 102, 108, 114, 126, 130],
  },
];

/** The pictures that the two clips without a face give. `sourceOf` tells a clip's data set and hash. */
export function clipPlans(sourceOf: (file: string) => FacelessSource): FacelessPlan[] {
  return CLIP_PARTS.flatMap(({ file, kind, region, atSeconds }) =>
    atSeconds.map((seconds) => ({
      ...{ kind, part: 'clips' as const, region },
      source: { ...sourceOf(file), atMs: Math.round(seconds * 1000) },
    })),
  );
}

/** The names of the clips that {@link clipPlans} needs. */
export const FACELESS_CLIPS: readonly string[] = [...new Set(CLIP_PARTS.map(({ file }) => file))];

/** The frame of a video at a time, as PNG. Throws `AppError` VIDEO_UNREADABLE, also when the video ends before. */
export async function frameAt(path: string, atMs: number, ffmpeg: FfmpegBinary): Promise<Buffer> {
  const seek = ['-ss', (atMs / 1000).toFixed(3), '-i', path];
  try {
    const owned = await ownedCommand(ffmpeg.path);
    const { stdout } = await promisify(execFile)(
      owned.file,
      [
        ...owned.args,
        '-v',
        'error',
        '-nostdin',
        ...seek,
        '-frames:v',
        '1',
        '-c:v',
        'png',
        '-f',
        'image2pipe',
        '-',
      ],
      { env: owned.options.env, encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
    );
    if (stdout.length > 0) return stdout;
    throw new Error('no frame at that time');
  } catch (cause) {
    throw new AppError('VIDEO_UNREADABLE', `${path} has no frame at ${atMs} ms`, { cause, path });
  }
}
