import type { StreamTiming } from '../domain/camera.js';
import type { Clock } from '../lib/clock.js';
import { CaptureClock } from './capture-clock.js';
import { type StreamOptions, streamKind } from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import type { RtspTransport } from './ffmpeg-input-options.js';
import type { FrameSink, FrameSource, RunEnd, StreamInfo } from './frame-source.js';
import { HostCheck, hostCheckLimitMs } from './host-check.js';
import type { IngestLog } from './ingest-log.js';
import { SourceRuns } from './source-runs.js';
import { type RunOutcome, type StreamPlan, StreamPlanner } from './stream-plan.js';

export interface FfmpegSourceOptions extends Omit<StreamOptions, 'pace' | 'timeoutMs' | 'transport'> {
  /** RTSP only; `auto` takes the first over which pictures come. Default `tcp`. */
  readonly transport?: RtspTransport | 'auto' | undefined;
  readonly cameraId: string;
  readonly binary: FfmpegBinary;
  readonly clock: Clock;
  /** Time that ffmpeg gets to end by itself before it is killed, ms. Default 2000. */
  readonly killAfterMs?: number;
  /** ffmpeg's own network time-out, ms. Default 5000; the supervisor's watchdog is what counts. */
  readonly timeoutMs?: number;
  /** The supervisor's time-out for the first picture, which {@link hostCheckLimitMs} follows, ms. Default 8000. */
  readonly connectMs?: number;
  /** Frame buffers, at least 2. Default 4. */
  readonly slotCount?: number;
  /** Called with the process id of every ffmpeg started. */
  readonly onSpawn?: (pid: number) => void;
  readonly log?: IngestLog;
}

/**
 * A live stream through ffmpeg: RTSP, MJPEG or HLS over HTTP, or a file played at its own pace as if it were
 * a camera. One run is one process. Live video is never buffered: the pipe is always drained, and a frame
 * that finds every buffer held is dropped as `no_buffer`.
 */
export class FfmpegSource implements FrameSource {
  readonly #options: FfmpegSourceOptions;
  readonly #runs: SourceRuns;
  readonly #planner: StreamPlanner;
  readonly #hostCheck: HostCheck;
  readonly #captureClock = new CaptureClock();

  constructor(options: FfmpegSourceOptions) {
    this.#options = options;
    this.#runs = new SourceRuns(options);
    this.#planner = new StreamPlanner({
      transport: streamKind(options.url) === 'rtsp' ? (options.transport ?? 'tcp') : null,
      decoding: options.decoding ?? 'none',
      hwaccels: options.binary.hwaccels,
    });
    this.#hostCheck = new HostCheck({
      url: options.url,
      transport: options.transport,
      timeoutMs: hostCheckLimitMs(options.connectMs ?? DEFAULT_CONNECT_MS),
    });
    if (this.#planner.fallback !== null) options.log?.warn({}, this.#planner.fallback);
  }

  /** What the times of the present run, or of the last one, tell. */
  timing(): StreamTiming {
    return this.#captureClock.timing();
  }

  /** How the next run will read the stream: it changes when the last one showed that it must. */
  get plan(): StreamPlan {
    return this.#planner.plan;
  }

  check(signal: AbortSignal): Promise<RunEnd | null> {
    return this.#hostCheck.check(signal);
  }

  /** Rejects with `AppError` `INGEST_ALREADY_RUNNING` when the last run has not settled. */
  async run(sink: FrameSink, signal: AbortSignal): Promise<RunEnd> {
    const { clock, binary, killAfterMs = 2000, timeoutMs = 5000, onSpawn, log, ...stream } = this.#options;
    const planner = this.#planner;
    const { plan } = planner;
    const isRtsp = streamKind(stream.url) === 'rtsp';
    const captureClock = this.#captureClock;
    captureClock.begin();
    let outcome: Pick<RunOutcome, 'frameCount' | 'problems'> = { frameCount: 0, problems: [] };
    let firstMs: number | null = null;
    let lastMs = 0;
    let told: StreamInfo | null = null;
    const tell = (info: StreamInfo) => {
      told = info;
      const { fallback } = planner;
      sink.streamInfo?.({
        ...info,
        ...(isRtsp ? { transport: plan.transport, timestamps: plan.timestamps } : {}),
        decoding: fallback === null ? plan.decoding : 'none',
        ...(fallback === null ? {} : { fallback }),
      });
    };
    const end = await this.#runs.run(
      {
        stream: { ...stream, ...plan, timeoutMs, pace: 'realtime' },
        binary,
        clock,
        killAfterMs,
        whenFull: 'drop',
        stamp: (index) => {
          const monotonicMs = clock.monotonicMs();
          firstMs ??= monotonicMs;
          lastMs = monotonicMs;
          return { capturedAtMs: clock.wallMs() - captureClock.noteArrival(index, monotonicMs), monotonicMs };
        },
        onStreamTime: (index, streamMs) => captureClock.noteStreamTime(index, streamMs),
        onCpuDecoding: (why) => {
          const change = planner.noteCpuDecoding(why);
          if (change === null) return;
          log?.warn({ ...planner.plan }, change);
          if (told !== null) tell(told);
        },
        onSpawn,
        log,
        onOutcome: (seen) => {
          outcome = seen;
        },
      },
      {
        frame: (frame) => sink.frame(frame),
        dropped: (reason) => sink.dropped(reason),
        damaged: (share) => sink.damaged?.(share),
        streamInfo: tell,
      },
      signal,
    );
    const liveMs = firstMs === null ? 0 : lastMs - firstMs;
    const change = planner.note({ ...outcome, liveMs, end: endOf(signal) ?? end });
    if (change !== null) log?.warn({ ...planner.plan }, change);
    return end;
  }
}

const DEFAULT_CONNECT_MS = 8000;

/** Why the watchdog gave the run up, where it did. */
function endOf(signal: AbortSignal): RunEnd | null {
  const reason: unknown = signal.aborted ? signal.reason : null;
  return typeof reason === 'object' && reason !== null && 'retryable' in reason ? (reason as RunEnd) : null;
}
