import type { Frame } from '../domain/frame.js';
import type { FrameSource, RunEnd, StreamInfo } from '../ingest/frame-source.js';
import type { StreamPlan } from '../ingest/stream-plan.js';
import { runWatched } from '../ingest/watched-run.js';
import type { Clock } from '../lib/clock.js';

/** A source that says how its next run will read the stream. */
export type PlannedSource = FrameSource & { readonly plan: StreamPlan };

export interface WatchOptions {
  readonly source: PlannedSource;
  readonly clock: Clock;
  /** See FrameWatchdog. */
  readonly timeouts: { readonly connectMs: number; readonly stallMs: number };
  /** For how long pictures are looked at, from the first one on, ms. */
  readonly watchMs: number;
  /** The receiver owns one hold of the frame. */
  readonly onFrame: (frame: Frame) => void;
  readonly onAttempt?: (plan: StreamPlan) => void;
  readonly onFirstFrame?: () => void;
  /** Says more of a run that brought no picture; then no other way is tried. */
  readonly explain?: (end: RunEnd) => Promise<RunEnd | null>;
}

/** A run that brought too little. */
export interface FailedAttempt {
  readonly plan: StreamPlan;
  readonly end: RunEnd;
}

export interface WatchedStream {
  /** How the last run ended before its time; `null`: it was watched to the end. */
  readonly end: RunEnd | null;
  /** How the last run read the stream. */
  readonly plan: StreamPlan;
  readonly info: StreamInfo | null;
  /** From the start of the last run to its first picture, ms. */
  readonly firstFrameMs: number | null;
  /** From the first picture of the last run to its end, ms. */
  readonly watchedMs: number;
  /** Pictures that had to be made up in part by the decoder. */
  readonly damagedCount: number;
  /** Runs before the last one: other transports, or other ways to count time. */
  readonly attempts: readonly FailedAttempt[];
}

/** Three transports, and once more with the time stamps of arrival, or on the CPU. */
const MAX_RUNS = 5;
/** A picture so recent shows that the stream lives, ms. */
const RECENT_MS = 1000;

/**
 * Looks at a stream for a while as the service would: runs, and as long as no picture comes and the source knows another
 * way (the next transport of `auto`), runs again. Throws the signal's reason.
 */
export async function watchStream(options: WatchOptions, signal: AbortSignal): Promise<WatchedStream> {
  const { source, onAttempt, explain } = options;
  const attempts: FailedAttempt[] = [];
  for (;;) {
    const { plan } = source;
    onAttempt?.(plan);
    const run = await watchOnce(options, signal);
    signal.throwIfAborted();
    if (run.end === null) return { ...run, plan, attempts };
    const better = run.firstFrameMs === null ? await explain?.(run.end) : null;
    signal.throwIfAborted();
    if (better) return { ...run, end: better, plan, attempts };
    const before = [...attempts.map((attempt) => attempt.plan), plan];
    if (!isNew(source.plan, before, run.firstFrameMs !== null) || before.length >= MAX_RUNS)
      return { ...run, plan, attempts };
    attempts.push({ plan, end: run.end });
  }
}

/**
 * Whether a way is worth a run after those before. The planner turns in a circle and changes with each turn whose time
 * stamps count: without a picture that alone is worth another run only where there was just one way.
 */
function isNew(plan: StreamPlan, before: readonly StreamPlan[], hasPictures: boolean): boolean {
  const alike = before.filter(
    ({ transport, decoding }) => transport === plan.transport && decoding === plan.decoding,
  );
  if (alike.length === 0) return true;
  const isSame = alike.some(({ timestamps }) => timestamps === plan.timestamps);
  return !isSame && (hasPictures || before.length === 1);
}

async function watchOnce(
  options: WatchOptions,
  signal: AbortSignal,
): Promise<Omit<WatchedStream, 'plan' | 'attempts'>> {
  const { source, clock, timeouts, watchMs, onFrame, onFirstFrame } = options;
  const done = new AbortController();
  const startMs = clock.monotonicMs();
  let firstMs: number | null = null;
  let info: StreamInfo | null = null;
  let damagedCount = 0;
  let isComplete = false;
  let isDue = false;
  let lastMs = 0;
  const complete = () => {
    isComplete = true;
    done.abort();
  };
  const notePicture = () => {
    lastMs = clock.monotonicMs();
    if (isDue) complete();
    if (firstMs !== null) return;
    firstMs = lastMs;
    onFirstFrame?.();
    clock.sleep(watchMs, done.signal).then(
      () => {
        // A stream that is silent now may be dead: the next picture tells, or the watchdog.
        isDue = clock.monotonicMs() - lastMs > RECENT_MS;
        if (!isDue) complete();
      },
      () => {}, // It ended before.
    );
  };
  try {
    const { end } = await runWatched(
      {
        ...{ source, clock, timeouts, onPicture: notePicture },
        sink: {
          frame: onFrame,
          dropped: () => {},
          damaged: () => {
            damagedCount += 1;
          },
          streamInfo: (told) => {
            info = told;
          },
        },
      },
      AbortSignal.any([signal, done.signal]),
    );
    const endMs = clock.monotonicMs();
    return {
      end: isComplete ? null : end,
      info,
      firstFrameMs: firstMs === null ? null : firstMs - startMs,
      watchedMs: firstMs === null ? 0 : endMs - firstMs,
      damagedCount,
    };
  } finally {
    done.abort();
  }
}
