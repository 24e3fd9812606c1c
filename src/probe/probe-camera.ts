import { pictureHealthLimits, stallLimitMs, trackGaps } from '../assemble-limits.js';
import type { InferencePool } from '../inference/inference-pool.js';
import { type StreamKind, streamKind } from '../ingest/ffmpeg-arguments.js';
import type { FfmpegBinary } from '../ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../ingest/ffmpeg-source.js';
import type { RunEnd } from '../ingest/frame-source.js';
import { HostCheck, hostCheckLimitMs } from '../ingest/host-check.js';
import { accountOf, type LoginRegister, REFUSED_BEFORE } from '../ingest/login-register.js';
import { countPackets } from '../ingest/packet-pass.js';
import { systemClock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import { composeReport } from './compose-report.js';
import { FaceWatch } from './face-watch.js';
import { type ProbeFindings, transportOf } from './probe-findings.js';
import type { ProbeReport } from './probe-report.js';
import type { ProbeRules, ProbeTarget } from './probe-target.js';
import { type WatchedStream, watchStream } from './watch-stream.js';

/** What is going on, for people who wait. */
export type ProbePhase = 'asking' | 'loading' | 'connecting' | 'watching' | 'counting';

export interface ProbeOptions {
  readonly target: ProbeTarget;
  readonly rules: ProbeRules;
  readonly binary: FfmpegBinary;
  /** Shared by all cameras that are probed. */
  readonly logins: LoginRegister;
  /** Opened once, when the first camera is there. */
  readonly pool: () => Promise<InferencePool>;
  /** For how long pictures are looked at, ms. */
  readonly watchMs: number;
  readonly onPhase?: (phase: ProbePhase, transport?: string) => void;
  /** Called with the process id of every ffmpeg started. */
  readonly onSpawn?: (pid: number) => void;
}

/**
 * ffmpeg's own time-out comes after ours: what it says then ("Invalid data") is no help to anybody, ms.
 */
const FFMPEG_TIMEOUT_MARGIN_MS = 5000;
/** These have an end, which is no fault. */
const FINITE: ReadonlySet<StreamKind | null> = new Set<StreamKind | null>(['file', 'http-container', 'hls']);

/**
 * Looks at one camera by the product's own path: is anybody there, which transport brings pictures, how long until the
 * first, what is in them for `watchMs`; then, over a connection of its own, how packets come. A camera that cannot be
 * watched is a report with `ok: false`. Throws the signal's reason, what `pool` throws, or `AppError` INFERENCE_FAILED.
 */
export async function probeCamera(options: ProbeOptions, signal: AbortSignal): Promise<ProbeReport> {
  return composeReport(await examine(options, signal));
}

async function examine(options: ProbeOptions, signal: AbortSignal): Promise<ProbeFindings> {
  const { target, rules, binary, onPhase, onSpawn } = options;
  const found = { target, rules, stream: null, pictures: null, packets: null };
  const { url, username, password, transport, decoding, analysis } = target;
  const { keyframesOnly, rotationDegrees, inputOptions } = target;
  const stream = { url, username, password, keyframesOnly, rotationDegrees, inputOptions, analysis };
  const isRtsp = streamKind(url) === 'rtsp';
  const timeouts = timeoutsOf(target, rules);
  const timeoutMs = Math.max(timeouts.connectMs, timeouts.stallMs) + FFMPEG_TIMEOUT_MARGIN_MS;
  const { connectMs } = timeouts;
  // A camera that brought no picture is asked once more whether it answers at all.
  const silence = new HostCheck({
    ...{ url, transport, timeoutMs: hostCheckLimitMs(connectMs), believesSilence: true },
  });
  const source = new FfmpegSource({
    ...{ ...stream, transport: isRtsp ? transport : 'tcp', decoding, binary, timeoutMs, connectMs },
    cameraId: target.cameraId ?? 'probe',
    clock: systemClock,
    killAfterMs: rules.ingest.killAfterSeconds * 1000,
    ...(onSpawn ? { onSpawn } : {}),
  });
  onPhase?.('asking');
  const nobody = await source.check(signal);
  signal.throwIfAborted();
  if (nobody) return { ...found, end: nobody };
  onPhase?.('loading');
  const faces = new FaceWatch(faceWatchOptions(options, await options.pool()));
  signal.throwIfAborted();

  const login = { cameraId: target.cameraId ?? url, account: accountOf(stream) };
  const turn = await options.logins.enter(login, signal);
  if (!turn) return { ...found, end: REFUSED_BEFORE };
  const analysing = new AbortController();
  const analysed = faces.run(analysing.signal);
  let watched: WatchedStream;
  try {
    watched = await watchStream(
      {
        source,
        clock: systemClock,
        timeouts,
        watchMs: options.watchMs,
        onFrame: (frame) => faces.offer(frame),
        onAttempt: (plan) => onPhase?.('connecting', transportOf(target, plan)),
        onFirstFrame: () => {
          turn.accepted();
          onPhase?.('watching');
        },
        explain: async ({ reason }) =>
          isRtsp && reason === 'connect_timeout' ? await silence.check(signal) : null,
      },
      signal,
    );
    if (watched.end?.reason === 'unauthorized') turn.refused();
  } finally {
    turn.leave();
    analysing.abort();
    await analysed;
  }
  const pictures = await analysed;
  if (pictures.failedCount > 0 && pictures.analysedCount === 0)
    throw new AppError('INFERENCE_FAILED', 'no picture could be analysed');
  const end = fatalEnd(watched, url);
  if (watched.firstFrameMs === null || end) return { ...found, stream: watched, pictures, end };
  onPhase?.('counting');
  const { plan } = watched;
  const jitterMs = streamKind(url) === 'file' ? {} : { jitterMs: source.timing().jitterMs };
  const packets = await countPackets(
    {
      stream: { ...stream, ...plan, timeoutMs },
      binary,
      clock: systemClock,
      killAfterMs: rules.ingest.killAfterSeconds * 1000,
      ...(onSpawn ? { onSpawn } : {}),
    },
    signal,
  );
  signal.throwIfAborted();
  return { target, rules, stream: watched, pictures, packets, ...jitterMs, end: null };
}

/** What ended the watch before its time, unless it is the end of what has one. */
function fatalEnd({ end, firstFrameMs }: WatchedStream, url: string): RunEnd | null {
  if (end === null) return null;
  const isOver = end.reason === 'end_of_file' || end.reason === 'process_exited';
  return firstFrameMs !== null && isOver && FINITE.has(streamKind(url)) ? null : end;
}

function timeoutsOf(
  { analysis, keyframesOnly }: ProbeTarget,
  { ingest }: ProbeRules,
): { connectMs: number; stallMs: number } {
  return {
    connectMs: ingest.connectTimeoutSeconds * 1000,
    stallMs: stallLimitMs(analysis.rateFps, {
      stallTimeoutSeconds: ingest.stallTimeoutSeconds,
      keyframesOnly,
    }),
  };
}

function faceWatchOptions(
  { target, rules }: ProbeOptions,
  pool: InferencePool,
): ConstructorParameters<typeof FaceWatch>[0] {
  const { detection, tracking, classification, ingest } = rules;
  return {
    pool,
    cameraId: target.cameraId ?? 'probe',
    tracker: {
      highScore: detection.scoreThreshold,
      lowScore: Math.min(detection.lowScoreThreshold, detection.scoreThreshold),
      confirmHits: tracking.confirmHits,
      ...trackGaps(target.analysis.rateFps, tracking),
    },
    crop: { minFacePx: classification.minFacePx, minSharpness: classification.minSharpness },
    recheckMs: classification.recheckSeconds * 1000,
    minFaceScore: classification.minFaceScore,
    pictures: pictureHealthLimits(ingest.pictureHealth, {
      rateFps: target.analysis.rateFps,
      keyframesOnly: target.keyframesOnly,
    }),
  };
}
