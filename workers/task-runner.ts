import type { InferenceEngine } from '../src/inference/engine.js';
import { readManifest } from '../src/inference/manifest.js';
import { selectEngine } from '../src/inference/select-engine.js';
import { AppError, toErrorShape } from '../src/lib/errors.js';
import { checkInputSize } from './check-input-size.js';
import { CropClassifier } from './crop-classifier.js';
import { ENGINES } from './engines.js';
import { FaceFinder } from './face-finder.js';
import { FaceWeigher } from './face-weigher.js';
import type {
  CrashTask,
  InferenceResult,
  InferenceTask,
  WarmUpResult,
  WarmUpTask,
  WorkerStart,
} from './protocol.js';
import { closingError, type WorkRegister } from './work-register.js';

/** Batch sizes run once before the thread counts as ready: the first call of a size is slow on some engines. */
const WARM_BATCH_SIZES = [1, 2, 4, 8];

/** Engine, both models and the buffers of one thread. */
export class TaskRunner {
  readonly #engine: InferenceEngine;
  readonly #finder: FaceFinder;
  readonly #classifier: CropClassifier;
  readonly #faultInjection: boolean;
  readonly #work: WorkRegister;

  /** Throws `AppError` ENGINE_MISSING, MODEL_NOT_FOUND, MODEL_INVALID or MODEL_UNSUPPORTED. */
  static async open({ options, faultInjection }: WorkerStart, work: WorkRegister): Promise<TaskRunner> {
    const { threadsPerWorker, device, chosenBecause } = options;
    const engine = await selectEngine(
      options.engine,
      { threads: threadsPerWorker, device, chosenBecause },
      ENGINES,
    );
    const { detectorModelDir, classifierModelDir, detectorWidth, detectorHeight } = options;
    const detectorManifest = await readManifest(detectorModelDir);
    checkInputSize(
      detectorManifest,
      detectorWidth,
      detectorHeight,
      'change detection.widthPx and detection.heightPx',
    );
    const detector = await engine.load(detectorModelDir);
    const finder = new FaceFinder(detector, detectorManifest, detectorWidth, detectorHeight);
    const classifierManifest = await readManifest(classifierModelDir);
    const weigher = FaceWeigher.for(classifierManifest, detector, detectorManifest);
    const classifier = new CropClassifier(await engine.load(classifierModelDir), classifierManifest, weigher);
    return new TaskRunner(engine, finder, classifier, faultInjection, work);
  }

  private constructor(
    engine: InferenceEngine,
    finder: FaceFinder,
    classifier: CropClassifier,
    faultInjection: boolean,
    work: WorkRegister,
  ) {
    this.#engine = engine;
    this.#finder = finder;
    this.#classifier = classifier;
    this.#faultInjection = faultInjection;
    this.#work = work;
  }

  /** Runs everything once: an engine's first run of a size is slow. */
  async warmUp(): Promise<void> {
    await this.#finder.measure();
    await this.#classifier.warmUp(WARM_BATCH_SIZES);
  }

  /** One task; every failure is a value. */
  async run(task: InferenceTask): Promise<InferenceResult> {
    if (!this.#work.begin()) return { ok: false, error: toErrorShape(closingError()) };
    try {
      switch (task.kind) {
        case 'detect':
          return await this.#finder.detect(task);
        case 'classify':
          return await this.#classifier.classify(task);
        case 'warm-up':
          return await this.#measure(task);
        case 'crash':
          return await this.#crash(task);
      }
    } catch (error) {
      return { ok: false, error: toErrorShape(error, 'INFERENCE_FAILED') };
    } finally {
      this.#work.end();
    }
  }

  async #measure({ batchSizes }: WarmUpTask): Promise<WarmUpResult> {
    const classifyMsByBatch: Record<number, number> = {};
    for (const size of batchSizes)
      classifyMsByBatch[size] = await medianOf(() => this.#classifier.measure(size));
    const detectMs = await medianOf(() => this.#finder.measure());
    return { ok: true, kind: 'warm-up', engine: this.#engine.info, classifyMsByBatch, detectMs };
  }

  async #crash({ how }: CrashTask): Promise<InferenceResult> {
    if (!this.#faultInjection) throw new AppError('FAULT_INJECTION_OFF', 'crash tasks are for tests alone');
    this.#work.end();
    if (how === 'exit') process.exit(70);
    setImmediate(() => {
      throw new Error('the fault that a test asked for');
    });
    return new Promise(() => {});
  }
}

/** Median of three runs; of fewer when they are slow, as this stands between a start and the first frame. */
async function medianOf(measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  let totalMs = 0;
  while (times.length < 3 && (times.length === 0 || totalMs < 200)) {
    const ms = await measure();
    times.push(ms);
    totalMs += ms;
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}
