import { settleEngine } from './assemble-engine.js';
import { chooseBatchSize } from './classification/choose-batch-size.js';
import { MaskClassifier } from './classification/mask-classifier.js';
import type { LoadedConfig } from './config/load-config.js';
import { FaceDetector } from './detection/face-detector.js';
import { missingFaceWeights } from './inference/face-probability.js';
import { InferencePool } from './inference/inference-pool.js';
import { readManifest } from './inference/manifest.js';
import type { Clock } from './lib/clock.js';
import type { CloseStack } from './lib/close-stack.js';
import { tenth } from './lib/rounding.js';
import type { Log } from './observability/logging.js';
import type { Metrics } from './observability/metrics.js';
import type { RepeatSummary } from './observability/repeat-summary.js';

/** Crops of all cameras that may wait for a batch. */
const MAX_WAITING_CROPS = 256;
/** The pool lets runs end before it ends their threads; a run takes milliseconds. */
const INFERENCE_CLOSE_MS = 8000;

export interface Inference {
  readonly detector: FaceDetector;
  readonly classifier: MaskClassifier;
  /** Threads that take work now; 0 while the last one that died is being replaced, or cannot be. */
  readonly workersReady: () => number;
  /** For people: engine, version and device. */
  readonly engine: string;
}

/** Starts the worker threads and what stands in front of them, measured and counted. Throws `AppError`s. */
export async function openInference(parts: {
  readonly config: LoadedConfig;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly faults: RepeatSummary;
  readonly log: Log;
  readonly closers: CloseStack;
}): Promise<Inference> {
  const { config, clock, metrics, faults, log, closers } = parts;
  const { model: detectorModel, lowScoreThreshold, scoreThreshold } = config.detection;
  const { model: classifierModel } = config.classification;
  const { workers, workerOptions } = await settleEngine(config, log);
  // Each camera has one detection or some batches under way; more than that is a fault.
  const maxQueue = 2 * Math.max(1, config.cameras.length) + workers;
  const pool = await InferencePool.open({
    workers,
    workerOptions,
    maxQueue,
    log,
  });
  closers.push('inference', () => pool.close(), INFERENCE_CLOSE_MS);
  const shortfall = missingFaceWeights(await readManifest(workerOptions.classifierModelDir), detectorModel);
  if (shortfall) log.warn({ detector: detectorModel, classifier: classifierModel }, shortfall);
  const { engine, device, version, reason } = pool.info;
  const maxBatch =
    config.inference.maxBatch === 'auto'
      ? chooseBatchSize(pool.classifyMsByBatch)
      : config.inference.maxBatch;
  metrics.addModel({ model: detectorModel, task: 'detection', engine, device, engineVersion: version });
  metrics.addModel({
    model: classifierModel,
    task: 'classification',
    engine,
    device,
    engineVersion: version,
  });
  metrics.addQueue('inference', maxQueue, () => pool.queueSize);
  metrics.setWorkersReader(() => ({
    utilisation: pool.utilization,
    threads: pool.workersReady,
    deaths: pool.workerDeaths,
  }));
  const classifyMsByBatch = Object.fromEntries(
    Object.entries(pool.classifyMsByBatch).map(([size, ms]) => [size, tenth(ms)]),
  );
  log.info(
    { engine, device, version, workers, maxBatch, detectMs: tenth(pool.detectMs), classifyMsByBatch },
    `inference runs on ${engine} (${device}): ${reason}`,
  );

  // What never ran for want of room is no failed run.
  const failed = (model: string, code: string | undefined) => {
    if (code === 'POOL_OVERLOADED') metrics.queueDropped('inference');
    else metrics.inferenceFailed(model, engine);
  };
  const classifier = new MaskClassifier({
    clock,
    classifyBatch: (crops) => pool.classify(crops),
    maxBatch,
    maxBatchAgeMs: config.inference.maxBatchAgeMs,
    maxRunning: pool.workers,
    maxQueue: MAX_WAITING_CROPS,
    onBatch: (report) => {
      metrics.batch(report.size, report.waitMs);
      if (report.inferenceMs !== null) metrics.inference(classifierModel, engine, report.inferenceMs);
      if (report.ok) return;
      failed(classifierModel, report.errorCode);
      faults.add(`a batch of faces could not be classified: ${report.errorCode}`);
    },
    onFurtherLooks: ({ secondLooks, closeUpsMs }) => {
      metrics.furtherLooks({ secondLooks, closeUps: closeUpsMs.length });
      for (const ms of closeUpsMs) metrics.inference(detectorModel, engine, ms);
    },
    onDrop: () => metrics.queueDropped('crops'),
  });
  closers.push('classifier', () => classifier.close());
  metrics.addQueue('crops', MAX_WAITING_CROPS, () => classifier.queueSize);
  const detector = new FaceDetector(
    {
      detect: async (pixels, threshold, options) => {
        const result = await pool.detect(pixels, threshold, options);
        if (result.ok) metrics.inference(detectorModel, engine, result.timings.inferenceMs);
        else {
          failed(detectorModel, result.error.code);
          faults.add(`a picture could not be analysed: ${result.error.code} ${result.error.message}`);
        }
        return result;
      },
    },
    {
      scoreThreshold: Math.min(lowScoreThreshold, scoreThreshold),
      wantsStatistics: config.ingest.pictureHealth.enabled,
    },
  );
  return {
    detector,
    classifier,
    workersReady: () => pool.workersReady,
    engine: `${engine} ${version} (${device})`,
  };
}
