import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { killWithOwner, ownedCommand } from '../ingest/child-processes.js';
import { readChildren, readProcess } from './process-stats.js';

/**
 * CPU seconds of ffmpeg decoding these streams to nothing at the same time for `seconds`, one process and one
 * decoding thread each: the floor under everybody who decodes in software.
 */
export async function measureBareDecode(
  ffmpegPath: string,
  urls: readonly string[],
  seconds: number,
  options: { readonly sleep: (ms: number) => Promise<void>; readonly warmUpMs: number },
): Promise<number> {
  const owned = await ownedCommand(ffmpegPath);
  const decoders = urls.map((url) => {
    const args = [
      '-v',
      'quiet',
      '-threads',
      '1',
      '-rtsp_transport',
      'tcp',
      '-i',
      url,
      '-an',
      '-f',
      'null',
      '-',
    ];
    const decoder = spawn(owned.file, [...owned.args, ...args], { ...owned.options, stdio: 'ignore' });
    killWithOwner(decoder);
    return decoder;
  });
  const gone = decoders.map((decoder) => once(decoder, 'close'));
  try {
    await options.sleep(options.warmUpMs);
    const pids = new Set(decoders.map((decoder) => decoder.pid));
    const total = () =>
      readChildren(process.pid)
        .filter(({ pid }) => pids.has(pid))
        .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    const before = total();
    await options.sleep(seconds * 1000);
    const running = decoders.filter(({ pid }) => pid !== undefined && readProcess(pid) !== null).length;
    if (running < urls.length)
      throw new Error(`only ${running} of ${urls.length} bare decoders kept running`);
    return total() - before;
  } finally {
    for (const decoder of decoders) decoder.kill('SIGKILL');
    await Promise.all(gone);
  }
}
