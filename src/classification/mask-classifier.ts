import type { ClassifyResult, CropRequest, TaskFailure } from '../../workers/protocol.js';
import type { CropJudgement } from '../domain/face.js';
import type { Clock } from '../lib/clock.js';
import type { ErrorShape } from '../lib/errors.js';
import { type BatchReport, MicroBatcher } from './micro-batcher.js';

export type ClassificationOutcome =
  | ({ readonly ok: true } & CropJudgement)
  | { readonly ok: false; readonly error: ErrorShape };

export interface MaskClassifierOptions {
  readonly clock: Clock;
  /** Runs one batch, e.g. `(crops) => pool.classify(crops)`. */
  readonly classifyBatch: (crops: readonly CropRequest[]) => Promise<ClassifyResult | TaskFailure>;
  /** Crops per batch at the most. */
  readonly maxBatch: number;
  /** A batch is closed when its first crop has waited this long, ms. */
  readonly maxBatchAgeMs: number;
  /** Batches at once at the most: the number of workers. */
  readonly maxRunning: number;
  /** Crops that may wait; beyond it the oldest are dropped. Default 256. */
  readonly maxQueue?: number;
  /** Told after each batch, for metrics. */
  readonly onBatch?: (report: BatchReport) => void;
  /** Told after each batch how many of its crops classifier or detector looked at again. */
  readonly onFurtherLooks?: (crops: Pick<ClassifyResult, 'secondLooks' | 'closeUpsMs'>) => void;
  /** Called once per crop that was dropped because the queue was full. */
  readonly onDrop?: () => void;
}

/** Judges face crops in micro-batches across all cameras. */
export class MaskClassifier {
  readonly #batcher: MicroBatcher<CropRequest, CropJudgement>;

  constructor(options: MaskClassifierOptions) {
    const { classifyBatch, maxBatch, maxBatchAgeMs, onBatch, onDrop } = options;
    this.#batcher = new MicroBatcher({
      clock: options.clock,
      maxSize: maxBatch,
      maxAgeMs: maxBatchAgeMs,
      maxRunning: options.maxRunning,
      maxQueue: options.maxQueue ?? 256,
      run: async (crops) => {
        const result = await classifyBatch(crops);
        if (result.ok) options.onFurtherLooks?.(result);
        return result.ok
          ? { ok: true, results: judgementsOf(result), inferenceMs: result.timings.inferenceMs }
          : result;
      },
      ...(onBatch ? { onBatch } : {}),
      ...(onDrop ? { onDrop } : {}),
    });
  }

  /** Crops that wait for a batch. */
  get queueSize(): number {
    return this.#batcher.queueSize;
  }

  /**
   * The judgement of each crop, in the order given; they may travel in batches with other cameras' crops. The caller
   * holds the pixels until the promise settles. Failures are values, crop by crop; never rejects.
   */
  async classify(crops: readonly CropRequest[]): Promise<ClassificationOutcome[]> {
    const outcomes = await Promise.all(crops.map((crop) => this.#batcher.submit(crop)));
    return outcomes.map((outcome) => (outcome.ok ? { ok: true, ...outcome.value } : outcome));
  }

  /** Judges what waits, then takes no more. Idempotent. */
  close(): Promise<void> {
    return this.#batcher.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function judgementsOf({ scores, faceScores }: ClassifyResult): CropJudgement[] {
  return scores.map((ofCrop, index) => ({ scores: ofCrop, faceScore: faceScores[index] ?? 1 }));
}
