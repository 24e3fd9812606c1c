import type { Box } from '../src/domain/box.js';
import type { FaceDetection } from '../src/domain/face.js';
import type { PixelBuffer } from '../src/domain/frame.js';
import type { MaskScores } from '../src/domain/label.js';
import type { PictureStatistics } from '../src/domain/picture.js';
import type { ErrorShape } from '../src/lib/errors.js';

/**
 * The only file that both sides of the thread boundary share. Pixels cross as SharedArrayBuffers (never
 * copied); everything else is small plain data. Failures are values: error classes do not survive the way.
 */

/** Find the faces of one picture. Boxes and landmarks come back in pixels of `pixels`, not of the source. */
export interface DetectTask {
  readonly kind: 'detect';
  readonly pixels: PixelBuffer;
  readonly scoreThreshold: number;
  /** Also tell how the picture is, while it is at hand (see picture-statistics.ts). Default false. */
  readonly wantsStatistics?: boolean;
}

/** Classify faces, of one picture or of many. `box` is the detector's face box in pixels of `pixels`. */
export interface ClassifyTask {
  readonly kind: 'classify';
  readonly crops: readonly CropRequest[];
}

/** How often a crop in doubt goes through the classifier once more. */
export const LOOKS_IN_DOUBT = 3;

export interface CropRequest {
  readonly pixels: PixelBuffer;
  readonly box: Box;
  /** The detector's score of the box, in [0, 1], where it comes from the detector: it counts in the face score. */
  readonly detectionScore?: number;
  /**
   * How far the head leans, degrees, above 0 clockwise as the picture shows it, where the detector told its landmarks;
   * it is turned upright if the classifier's manifest wants that (`crop.uprightFromDegrees`).
   */
  readonly rollDegrees?: number;
}

/** Load what the worker needs and run it once on zeros at each batch size, so that no camera pays for it. */
export interface WarmUpTask {
  readonly kind: 'warm-up';
  readonly batchSizes: readonly number[];
}

/**
 * Ends the worker's thread, as a fault in native code would: for tests of what comes after. Refused unless the
 * pool was opened with `faultInjection`.
 */
export interface CrashTask {
  readonly kind: 'crash';
  readonly how: 'exit' | 'throw';
}

export type InferenceTask = DetectTask | ClassifyTask | WarmUpTask | CrashTask;

/** Time spent inside the worker, ms. */
export interface TaskTimings {
  readonly prepareMs: number;
  readonly inferenceMs: number;
  readonly finishMs: number;
}

export interface DetectResult {
  readonly ok: true;
  readonly kind: 'detect';
  readonly faces: readonly FaceDetection[];
  /** Where it was asked for, and the picture is not tiny. */
  readonly statistics?: PictureStatistics;
  readonly timings: TaskTimings;
}
export interface ClassifyResult {
  readonly ok: true;
  readonly kind: 'classify';
  /** One per crop, in the order of the request. */
  readonly scores: readonly MaskScores[];
  /**
   * Probability that the crop shows a face, one per crop, the detector's score counted in where it was told and the
   * manifest has weights for it; 1 from a model that does not tell.
   */
  readonly faceScores: readonly number[];
  /** Crops that were in doubt and looked at again (see the manifest's `crop.secondLook`). */
  readonly secondLooks: number;
  /** Time of each close-up that the detector made of a crop of which it was open whether it shows a face, ms. */
  readonly closeUpsMs: readonly number[];
  readonly timings: TaskTimings;
}
export interface WarmUpResult {
  readonly ok: true;
  readonly kind: 'warm-up';
  readonly engine: EngineInfo;
  /** Median time of one classification per batch size, and of one detection, ms. */
  readonly classifyMsByBatch: Readonly<Record<number, number>>;
  readonly detectMs: number;
}
export interface TaskFailure {
  readonly ok: false;
  readonly error: ErrorShape;
}

export type InferenceResult = DetectResult | ClassifyResult | WarmUpResult | TaskFailure;

export interface EngineInfo {
  /** `onnxruntime` or `tfjs`. */
  readonly engine: string;
  /** What the engine runs on: `cpu`, `cuda`, `wasm`, `tensorflow`, … */
  readonly device: string;
  readonly version: string;
  /** One line for people: why this engine and not another. */
  readonly reason: string;
  /** What was asked for by name and is not to be had, so that it runs on something else. */
  readonly shortfall?: string;
}

/** What each worker is started with (Piscina's `workerData`). */
export interface WorkerStart {
  readonly options: WorkerOptions;
  /** Numbers that the pool and its workers share: see {@link SHARED_STATE}. */
  readonly state: Int32Array<SharedArrayBuffer>;
  /** Whether {@link CrashTask}s are obeyed. */
  readonly faultInjection: boolean;
}

/** Places in {@link WorkerStart.state}. */
export const SHARED_STATE = {
  /** 1 once the pool is open: a worker that starts after that replaces one that died. */
  isOpen: 0,
  /** Starts since the last that came through: the next replacement waits before it tries. */
  failedStarts: 1,
  /** 1 once the pool closes: workers begin nothing more. */
  isClosing: 2,
  /** Workers that load models or run a task: ending a thread in the midst of it may abort the whole process. */
  atWork: 3,
} as const;
export const SHARED_STATE_LENGTH = 4;

export interface WorkerOptions {
  readonly engine: 'auto' | 'onnxruntime' | 'tfjs';
  /** Default auto: the best that starts. */
  readonly device?: 'auto' | 'cpu' | 'cuda' | 'tensorrt' | 'wasm';
  /** One line for people: why these, where somebody compared them before. */
  readonly chosenBecause?: string;
  readonly detectorModelDir: string;
  readonly classifierModelDir: string;
  /** Detector input in pixels, multiples of 32. */
  readonly detectorWidth: number;
  readonly detectorHeight: number;
  readonly threadsPerWorker: number;
}
