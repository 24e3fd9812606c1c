import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import ffmpeg from '@ffmpeg-installer/ffmpeg';
import type { PixelBuffer } from '../../src/domain/frame.js';

const run = promisify(execFile);

/** One picture of a video in shared memory, rgb24, scaled to the size asked for. `filter` comes before scaling. */
export async function videoFrame(
  file: string,
  options: { atSeconds: number; width: number; height: number; filter?: string },
): Promise<PixelBuffer> {
  const { atSeconds, width, height, filter } = options;
  const scale = `scale=${width}:${height}`;
  const args = ['-v', 'error', '-ss', String(atSeconds), '-i', file, '-frames:v', '1'];
  const { stdout } = await run(
    ffmpeg.path,
    [...args, '-vf', filter ? `${filter},${scale}` : scale, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
  );
  if (stdout.length !== width * height * 3) throw new Error(`${file} has no picture at ${atSeconds} s`);
  const buffer = new SharedArrayBuffer(stdout.length);
  new Uint8Array(buffer).set(stdout);
  return { buffer, byteOffset: 0, width, height, contentWidth: width, contentHeight: height };
}
