import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Frame } from '../../src/domain/frame.js';
import { type FfmpegBinary, findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';

export const SYSTEM_FFMPEG = '/usr/bin/ffmpeg';

/** The ffmpegs to test with: the one of npm, and the system's where it is installed. */
export const FFMPEGS = [
  { name: 'npm ffmpeg', path: undefined, isPresent: true },
  {
    name: `system ffmpeg (needs ${SYSTEM_FFMPEG})`,
    path: SYSTEM_FFMPEG,
    isPresent: existsSync(SYSTEM_FFMPEG),
  },
] as const;

const run = promisify(execFile);

/** What the test pattern shows: three coloured quarters, and one whose grey is `GREY_STEP` × the frame's number. */
export const GREY_STEP = 2;

/**
 * Makes a clip: top left red, top right green, bottom left blue, bottom right a grey that rises with every
 * frame. H.264 or H.265 with a keyframe every `keyframes` frames.
 */
export async function makeClip(
  folder: string,
  options: {
    name: string;
    width: number;
    height: number;
    seconds: number;
    rateFps?: number;
    keyframes?: number;
    /** Between two reference frames. Default 2; 0 as cameras send. */
    bFrames?: number;
    format?: string;
    codec?: 'h264' | 'h265';
  },
): Promise<string> {
  const { path: ffmpegPath } = await findFfmpeg();
  const path = join(folder, options.name);
  const rate = options.rateFps ?? 25;
  const quarter = `${options.width / 2}x${options.height / 2}`;
  const colour = (name: string) => `color=c=${name}:s=${quarter}:r=${rate}:d=${options.seconds}`;
  const grey = `color=c=black:s=4x4:r=${rate}:d=${options.seconds},format=gray,geq=lum='mod(N*${GREY_STEP}\\,256)',scale=${quarter.replace('x', ':')}:flags=neighbor,format=rgb24`;
  const graph = [
    `${colour('0xff0000')},format=rgb24[red]`,
    `${colour('0x00ff00')},format=rgb24[green]`,
    `${colour('0x0000ff')},format=rgb24[blue]`,
    `${grey}[grey]`,
    '[red][green]hstack[top]',
    '[blue][grey]hstack[bottom]',
    '[top][bottom]vstack,format=yuv420p[out]',
  ].join(';');
  await run(ffmpegPath, [
    ...['-v', 'error', '-y', '-nostdin', '-filter_complex', graph, '-map', '[out]'],
    ...['-c:v', options.codec === 'h265' ? 'libx265' : 'libx264', '-preset', 'veryfast', '-crf', '10'],
    ...['-bf', String(options.bFrames ?? 2), '-g', String(options.keyframes ?? rate), '-threads', '1'],
    ...(options.codec === 'h265' ? ['-x265-params', 'log-level=error', '-tag:v', 'hvc1'] : []),
    ...(options.format === undefined ? [] : ['-f', options.format]),
    path,
  ]);
  return path;
}

/** Mean colour of a small square around a point of the analysed picture, each channel 0–255. */
export function colourAt(frame: Pick<Frame, 'pixels'>, x: number, y: number): [number, number, number] {
  const { buffer, byteOffset, width, height } = frame.pixels;
  const bytes = new Uint8Array(buffer, byteOffset, width * height * 3);
  const sums: [number, number, number] = [0, 0, 0];
  for (let dy = -1; dy <= 1; dy += 1)
    for (let dx = -1; dx <= 1; dx += 1)
      for (let channel = 0; channel < 3; channel += 1)
        sums[channel]! += bytes[((y + dy) * width + x + dx) * 3 + channel]! / 9;
  return sums;
}

/** True while a process with this id exists (a zombie counts). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The ffmpeg of npm, found once. */
let found: Promise<FfmpegBinary> | undefined;
export function npmFfmpeg(): Promise<FfmpegBinary> {
  found ??= findFfmpeg();
  return found;
}
