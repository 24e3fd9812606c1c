import type { Clock } from '../lib/clock.js';
import { damageOf } from './decode-damage.js';
import {
  type AnalysisFormat,
  contentSize,
  credentialsOf,
  ffmpegArguments,
  RTSP_USER_INFO_MAX_BYTES,
  type StreamOptions,
  streamKind,
  userInfo,
} from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import { runFfmpegProcess } from './ffmpeg-process.js';
import type { FrameRing } from './frame-ring.js';
import { type FrameSink, type RunEnd, STOPPED, type StreamInfo } from './frame-source.js';
import { FrameSplitter, type FrameSplitterOptions, type PictureSize } from './frame-splitter.js';
import { type HostLookup, resolveHostName } from './host-name.js';
import type { IngestLog } from './ingest-log.js';
import { redactSecrets } from './redact.js';
import { classifyEnd, StderrReader } from './stream-info.js';
import type { RunOutcome } from './stream-plan.js';

export interface StreamRunOptions {
  readonly stream: StreamOptions;
  readonly ring: FrameRing;
  readonly binary: FfmpegBinary;
  readonly clock: Clock;
  readonly killAfterMs: number;
  readonly whenFull: FrameSplitterOptions['whenFull'];
  /** See {@link FrameSplitterOptions.stamp}. */
  readonly stamp: FrameSplitterOptions['stamp'];
  /** The stream's own time of its n-th picture, ms; live streams only. */
  readonly onStreamTime?: ((index: number, streamMs: number) => void) | undefined;
  /** Hardware was asked for, and the CPU decodes; `why` in ffmpeg's words. */
  readonly onCpuDecoding?: ((why: string) => void) | undefined;
  readonly onSpawn?: ((pid: number) => void) | undefined;
  /** Default: the system's. */
  readonly hostLookup?: HostLookup | undefined;
  readonly log?: IngestLog | undefined;
  /** What the run showed, also of one that was aborted; told before `runStream` resolves. */
  readonly onOutcome?: ((outcome: Pick<RunOutcome, 'frameCount' | 'problems'>) => void) | undefined;
}

/** One ffmpeg run from start to end, shared by the sources. Contract as in `FrameSource.run`. */
export async function runStream(
  options: StreamRunOptions,
  sink: FrameSink,
  signal: AbortSignal,
): Promise<RunEnd> {
  const { ring } = options;
  if (signal.aborted) return STOPPED;
  const problem = configurationProblem(options.stream);
  if (problem) return problem;
  const stream = await withNumericHost(options, signal);
  if (signal.aborted) return STOPPED;
  if ('reason' in stream) return stream;

  const secrets = [stream.password];
  const reader = new StderrReader();
  let info: StreamInfo | null = null;
  const splitter = new FrameSplitter({
    ring,
    whenFull: options.whenFull,
    stamp: options.stamp,
    onFrame: (frame) => sink.frame(frame),
    onDropped: (reason) => sink.dropped(reason),
    fallbackSize: () => info && pictureSize(info, stream.analysis),
  });
  // Before the process is even told to end: nothing may reach the sink once the caller has aborted.
  const stop = () => splitter.stop();
  signal.addEventListener('abort', stop, { once: true });

  let lastProblem = '';
  const onLine = (line: string) => {
    const damage = info && !signal.aborted ? damageOf(line, info) : null;
    if (damage !== null) sink.damaged?.(damage);
    const fact = reader.read(line);
    if (!fact) return;
    if (fact.kind === 'time') {
      options.onStreamTime?.(fact.index, fact.streamMs);
      return;
    }
    if (fact.kind === 'problem') {
      // A broken stream repeats itself many times a second.
      if (fact.text !== lastProblem)
        options.log?.debug({ ffmpeg: redactSecrets(fact.text, secrets) }, 'ffmpeg complains');
      lastProblem = fact.text;
      return;
    }
    if (signal.aborted) return;
    if (fact.kind === 'cpu') {
      options.onCpuDecoding?.(redactSecrets(fact.why, secrets));
      return;
    }
    const before = info;
    info = reader.info;
    if (info && (before?.width !== info.width || before.height !== info.height)) sink.streamInfo?.(info);
    if (fact.kind === 'size') splitter.setPictureSize(fact);
    else if (fact.kind === 'output' && !splitter.hasPictureSize) {
      // An ffmpeg that words the filter's line differently.
      const { widthPx: width, heightPx: height } = stream.analysis;
      splitter.setPictureSize(pictureSize(info ?? { width, height }, stream.analysis));
    }
  };

  const end = await runFfmpegProcess(
    {
      binary: options.binary,
      arguments: ffmpegArguments(stream, options.binary),
      output: splitter,
      onBytes: options.whenFull === 'drop' ? (chunk) => splitter.take(chunk) : undefined,
      onLine,
      onSpawn: options.onSpawn,
      killAfterMs: options.killAfterMs,
      clock: options.clock,
    },
    signal,
  );
  await splitter.finish();
  signal.removeEventListener('abort', stop);
  const problems = reader.problems.map((text) => redactSecrets(text, secrets));
  options.onOutcome?.({ frameCount: splitter.frameCount, problems });
  if (signal.aborted) return STOPPED;
  if (end.kind === 'spawn_failed')
    return {
      reason: 'spawn_failed',
      message: `ffmpeg could not be started (${redactSecrets(end.message, secrets)})`,
      retryable: true,
    };
  const ended = classifyEnd({
    exitCode: end.exitCode,
    signal: end.signal,
    problems,
    frameCount: splitter.frameCount,
    isFile: streamKind(stream.url) === 'file',
  });
  return ended.reason === 'end_of_file' && stream.loop ? NOT_WOUND_BACK : ended;
}

/** A raw stream in a file, for one, which has no places to go back to. It begins anew with the next run. */
const NOT_WOUND_BACK: RunEnd = {
  reason: 'process_exited',
  message: 'The file ended although it is to be played for ever: ffmpeg cannot wind back a file of this kind',
  retryable: true,
};

function pictureSize(source: { width: number; height: number }, analysis: AnalysisFormat): PictureSize {
  const content = contentSize(source.width, source.height, analysis);
  return {
    sourceWidth: source.width,
    sourceHeight: source.height,
    contentWidth: content.width,
    contentHeight: content.height,
  };
}

/** The stream as the binary can open it: credentials apart, host name looked up where ffmpeg cannot. */
export async function withNumericHost(
  options: Pick<StreamRunOptions, 'stream' | 'binary' | 'hostLookup'>,
  signal: AbortSignal,
): Promise<StreamOptions | RunEnd> {
  const stream = { ...options.stream, ...credentialsOf(options.stream) };
  const kind = streamKind(stream.url);
  if (!options.binary.isStatic || kind === 'file' || kind === 'device') return stream;
  const resolved = await resolveHostName(stream.url, signal, options.hostLookup);
  if (!resolved.ok) return { reason: 'unreachable', message: resolved.message, retryable: true };
  return { ...stream, url: resolved.url, hostName: resolved.hostName ?? undefined };
}

function configurationProblem(stream: StreamOptions): RunEnd | null {
  const { username, password } = credentialsOf(stream);
  const kind = streamKind(stream.url);
  const message =
    kind === null
      ? 'The address does not begin with rtsp://, rtsps://, http://, https://, file: or device:'
      : kind === 'rtsp' && userInfo(username, password).length > RTSP_USER_INFO_MAX_BYTES
        ? `User and password together take more than ${RTSP_USER_INFO_MAX_BYTES} bytes (percent-encoded): more than ffmpeg can send`
        : null;
  return message === null ? null : { reason: 'configuration', message, retryable: false };
}
