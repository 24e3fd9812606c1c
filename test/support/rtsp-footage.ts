import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { npmFfmpeg } from './ingest-clips.js';

const run = promisify(execFile);

/** H.264 as cameras send it, noisy, so that each picture fills several packets: what happens to one shows. */
export async function makeNoisyClip(
  folder: string,
  options: { name: string; size: string; rateFps?: number; seconds: number; keyframes: number },
): Promise<string> {
  const { name, size, rateFps = 25, seconds, keyframes } = options;
  const path = join(folder, name);
  await run((await npmFfmpeg()).path, [
    ...['-nostdin', '-v', 'error', '-y', '-f', 'lavfi'],
    ...['-i', `testsrc2=s=${size}:r=${rateFps}:d=${seconds},noise=alls=12:allf=t`, '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-threads', '1', '-bf', '0'],
    ...['-g', String(keyframes), '-keyint_min', String(keyframes), '-sc_threshold', '0', path],
  ]);
  return path;
}
