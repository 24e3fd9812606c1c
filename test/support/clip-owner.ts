/*
 * A process that prepares a video as a camera's clip and exits in the middle of it, as after a second Ctrl+C.
 * Arguments: the video, the cache folder, ffmpeg. It prints the ids of the children that it leaves.
 */
import { readFileSync } from 'node:fs';
import { readChildren } from '../../src/bench/process-stats.js';
import { prepareClip } from '../../src/demo/prepare-clip.js';

const [video = '', cacheDir = '', ffmpegPath = ''] = process.argv.slice(2);

let hasTold = false;
await prepareClip(video, {
  ffmpegPath,
  cacheDir,
  onProgress: () => {
    if (hasTold) return;
    hasTold = true;
    // Asked of the kernel, not of child-processes.ts, which is what is tested.
    const pids = readChildren(process.pid).map(({ pid }) => pid);
    const transcoders = pids.filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(ffmpegPath),
    );
    process.stdout.write(`${transcoders.join(' ')}\n`, () => process.exit(130));
  },
});
