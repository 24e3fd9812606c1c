import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { loginLimits } from '../assemble-limits.js';
import { InferencePool } from '../inference/inference-pool.js';
import { FfmpegChoice } from '../ingest/ffmpeg-choice.js';
import { LoginRegister } from '../ingest/login-register.js';
import { systemClock } from '../lib/clock.js';
import { modelsDir } from '../lib/package-paths.js';
import { type ProbePhase, probeCamera } from './probe-camera.js';
import type { ProbeReport } from './probe-report.js';
import type { ProbeRules, ProbeTarget } from './probe-target.js';

export interface RunProbeOptions {
  readonly targets: readonly ProbeTarget[];
  readonly rules: ProbeRules;
  /** For how long each camera's pictures are looked at, ms. */
  readonly watchMs: number;
  /** In the order of `targets`, each as soon as those before it are told. */
  readonly onReport: (report: ProbeReport) => void;
  /** Cameras that are done, told or not. */
  readonly onDone?: (count: number) => void;
  readonly onPhase?: (phase: ProbePhase, transport?: string) => void;
}

/** Each decodes and is analysed for the whole time: more would only measure each other. */
const MAX_AT_ONCE = 4;
/** Frames of all cameras that may wait for a thread. */
const MAX_QUEUE = 64;

/**
 * Looks at cameras, a few at a time. Returns how many cannot be watched. Throws `AppError` FFMPEG_NOT_FOUND,
 * FFMPEG_UNUSABLE (exit code 3), what the pool's start throws, or the signal's reason; nothing of it runs any more then.
 */
export async function runProbe(options: RunProbeOptions, signal: AbortSignal): Promise<number> {
  const { targets, rules, watchMs, onReport, onDone, onPhase } = options;
  const ffmpegs = await FfmpegChoice.open({ path: rules.ingest.ffmpegPath });
  const logins = new LoginRegister({ clock: systemClock, ...loginLimits(rules.ingest) });
  let opening: Promise<InferencePool> | undefined;
  const pool = () => {
    opening ??= openPool(rules);
    return opening;
  };
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const reports: (ProbeReport | undefined)[] = targets.map(() => undefined);
  let begun = 0;
  let told = 0;
  let done = 0;
  const work = async () => {
    while (begun < targets.length) {
      const index = begun++;
      const target = targets[index]!;
      try {
        reports[index] = await probeCamera(
          {
            target,
            rules,
            binary: await ffmpegs.choose(target),
            ...{ logins, pool, watchMs },
            ...(onPhase ? { onPhase } : {}),
          },
          stop.signal,
        );
      } catch (error) {
        stop.abort(error); // The others have no one to tell any more.
        throw error;
      }
      onDone?.(++done);
      for (let next = reports[told]; next; next = reports[++told]) onReport(next);
    }
  };
  try {
    const workers = Array.from({ length: Math.min(MAX_AT_ONCE, targets.length) }, work);
    const ends = await Promise.allSettled(workers);
    signal.throwIfAborted();
    if (stop.signal.aborted) throw stop.signal.reason;
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return reports.filter((report) => !report?.ok).length;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await opening?.then((opened) => opened.close()).catch(() => {});
  }
}

/** On whatever runs the models here: which engine is the fastest does not matter for a few seconds. */
function openPool({ inference, detection, classification }: ProbeRules): Promise<InferencePool> {
  return InferencePool.open({
    workers: Math.min(MAX_AT_ONCE, availableParallelism()),
    maxQueue: MAX_QUEUE,
    measureBatchSizes: [],
    workerOptions: {
      engine: inference.engine,
      device: inference.device,
      detectorModelDir: join(modelsDir(), detection.model),
      classifierModelDir: join(modelsDir(), classification.model),
      detectorWidth: detection.widthPx,
      detectorHeight: detection.heightPx,
      threadsPerWorker: 1,
    },
  });
}
