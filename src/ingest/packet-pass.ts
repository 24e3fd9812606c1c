import { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.js';
import { ffmpegArguments, type StreamOptions } from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import { runFfmpegProcess } from './ffmpeg-process.js';
import { type PacketFigures, PacketList } from './packet-list.js';
import { withNumericHost } from './stream-run.js';

export interface PacketPassOptions {
  readonly stream: StreamOptions;
  readonly binary: FfmpegBinary;
  readonly clock: Clock;
  readonly killAfterMs: number;
  readonly onSpawn?: (pid: number) => void;
}

/** So much of a stream shows its rate, as long as two keyframes are in it, ms of the stream. */
const ENOUGH_MS = 4000;
/** Cameras send keyframes up to ten seconds apart, and whoever joins has to wait for the first one, ms. */
const LONGEST_MS = 22_000;
/** The muxer wants the size, which a camera may tell only within its stream: probing takes as long as it needs. */
const PATIENT_PROBING = { probesize: 5_000_000, analyzeduration: 5_000_000 };

/**
 * Receives a stream for a few seconds without decoding it, and counts: the rate that really comes, and how far keyframes
 * are apart, of which decoded pictures tell nothing. A connection of its own: to be made when the other one is closed,
 * as some cameras serve one client only. Never rejects for a stream that fails; what came until then is told.
 */
export async function countPackets(options: PacketPassOptions, signal: AbortSignal): Promise<PacketFigures> {
  const figures = await passOnce(options, options.stream, signal);
  if (figures.packetCount > 0 || signal.aborted) return figures;
  const { inputOptions } = options.stream;
  return passOnce(
    options,
    { ...options.stream, inputOptions: { ...inputOptions, ...PATIENT_PROBING } },
    signal,
  );
}

async function passOnce(
  options: PacketPassOptions,
  { keyframesOnly: _all, decoding: _nothing, ...asked }: StreamOptions,
  signal: AbortSignal,
): Promise<PacketFigures> {
  const { binary, clock, killAfterMs, onSpawn } = options;
  const list = new PacketList();
  const stream = await withNumericHost({ stream: { ...asked, pace: 'as-consumed' }, binary }, signal);
  if (signal.aborted || 'reason' in stream) return list.figures;
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  let rest = '';
  const output = new Writable({
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        // What still comes, until ffmpeg is gone, would leave a gap behind the last line that was read.
        if (stop.signal.aborted) break;
        list.read(line, clock.monotonicMs());
        if (isEnough(list.figures)) onAbort();
      }
      done();
    },
  });
  clock.sleep(LONGEST_MS, stop.signal).then(onAbort, () => {});
  const { inputOptions, input } = ffmpegArguments(stream, binary);
  await runFfmpegProcess(
    {
      binary,
      arguments: {
        inputOptions,
        input,
        outputOptions: ['-an', '-sn', '-dn', '-c:v', 'copy', '-flush_packets', '1'],
      },
      outputFormat: 'framecrc',
      output,
      onLine: () => {},
      onSpawn,
      killAfterMs,
      clock,
    },
    stop.signal,
  );
  stop.abort();
  signal.removeEventListener('abort', onAbort);
  return list.figures;
}

function isEnough({ keyframeCount, spanMs }: PacketFigures): boolean {
  return (keyframeCount >= 2 && spanMs >= ENOUGH_MS) || spanMs >= LONGEST_MS;
}
