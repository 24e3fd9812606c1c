import { extractCrop } from '../src/crops/extract.js';
import { leanToTakeBack } from '../src/crops/head-pose.js';
import { flipHorizontally } from '../src/crops/mirror.js';
import { MASK_LABELS, type MaskLabel, type MaskScores } from '../src/domain/label.js';
import type { LoadedModel } from '../src/inference/engine.js';
import { FACE_OUTPUT } from '../src/inference/face-probability.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { AppError } from '../src/lib/errors.js';
import type { FaceWeigher, OpenBox } from './face-weigher.js';
import { viewPixels } from './pixel-view.js';
import type { ClassifyResult, ClassifyTask, CropRequest, LOOKS_IN_DOUBT, TaskTimings } from './protocol.js';

/** Crops that go through the model at once; more are taken in turns, so that memory stays bounded. */
const MAX_BATCH = 64;

/** Added up over the batches of a task, ms. */
type Spent = { -readonly [Part in keyof TaskTimings]: number };

/** One way to cut a box. */
interface Look {
  readonly marginRatio: number;
  readonly isMirrored: boolean;
}

/** A box, a way to cut it, and where what the model says of it is gathered. */
interface Task {
  readonly crop: CropRequest;
  readonly look: Look;
  readonly into: Gathered;
}

/** What the model said of one crop, added up over its looks. */
interface Gathered {
  looks: number;
  readonly scores: Record<MaskLabel, number>;
  face: number;
}

/** Cuts crops out of shared pictures and judges them; owns the buffer in which batches are put together. */
export class CropClassifier {
  readonly #model: LoadedModel;
  readonly #inputName: string;
  readonly #outputName: string;
  /** `null` for a model that does not tell faces from other things. */
  readonly #faceOutputName: string | null;
  /** Place of each label in the output vector; −1 for one that the model does not tell. */
  readonly #places: Readonly<Record<MaskLabel, number>>;
  readonly #labelCount: number;
  readonly #sizePx: number;
  /** `null` for a model that takes heads as they are. */
  readonly #uprightFromDegrees: number | null;
  readonly #firstLook: Look;
  /** Of a crop whose highest score is lower than `below`. */
  readonly #again: {
    readonly below: number;
    readonly looks: readonly Look[] & { length: typeof LOOKS_IN_DOUBT };
  } | null;
  /** `null`: what the model says of the crop counts alone. */
  readonly #weigher: FaceWeigher | null;
  /** `null` where the manifest has no margin for it, and for a model that does not tell faces. */
  readonly #contextLook: Look | null;
  #batch = new Uint8Array(0);

  /** Throws `AppError` MODEL_INVALID when the manifest is not that of a mask classifier. */
  constructor(model: LoadedModel, manifest: ModelManifest, weigher: FaceWeigher | null) {
    const { name, task, input, outputs, labels, crop } = manifest;
    const sizePx = input.widthPx;
    const output = outputs[0];
    const faceOutput = outputs.find(({ name }) => name === FACE_OUTPUT);
    const isClassifier =
      task === 'mask-classification' && labels && crop && sizePx !== null && sizePx === input.heightPx;
    if (!isClassifier || !output || outputs.length !== (faceOutput ? 2 : 1) || output === faceOutput) {
      throw new AppError(
        'MODEL_INVALID',
        `model ${name} is not a mask classifier: it needs labels, crop, a square input of fixed size, one output of scores and perhaps one named ${FACE_OUTPUT}`,
      );
    }
    const unknown = labels.filter((label) => !MASK_LABELS.some((known) => known === label));
    if (unknown.length > 0)
      throw new AppError('MODEL_INVALID', `model ${name} has unknown labels: ${unknown.join(', ')}`);
    this.#model = model;
    this.#inputName = input.name;
    this.#outputName = output.name;
    this.#faceOutputName = faceOutput?.name ?? null;
    this.#places = {
      with_mask: labels.indexOf('with_mask'),
      without_mask: labels.indexOf('without_mask'),
      mask_worn_incorrectly: labels.indexOf('mask_worn_incorrectly'),
    };
    this.#labelCount = labels.length;
    this.#sizePx = sizePx;
    this.#uprightFromDegrees = crop.uprightFromDegrees ?? null;
    this.#firstLook = { marginRatio: crop.marginRatio, isMirrored: false };
    this.#weigher = faceOutput ? weigher : null;
    const { secondLook, contextMarginRatio } = crop;
    this.#contextLook =
      faceOutput && contextMarginRatio !== undefined
        ? { marginRatio: contextMarginRatio, isMirrored: false }
        : null;
    this.#again = secondLook
      ? {
          below: secondLook.below,
          looks: [
            { marginRatio: crop.marginRatio, isMirrored: true },
            { marginRatio: secondLook.marginRatio, isMirrored: false },
            { marginRatio: secondLook.marginRatio, isMirrored: true },
          ],
        }
      : null;
  }

  /**
   * Judges each crop; those in doubt are looked at again in other ways where the manifest says so, and the mean counts:
   * a model that only just decides often decides otherwise on the mirror image (docs/training.md has what it brings).
   */
  async classify({ crops }: ClassifyTask): Promise<ClassifyResult> {
    const timings = noTime();
    const first = crops.map((crop): Task => ({ crop, look: this.#firstLook, into: nothing() }));
    await this.#judge(first, timings);
    const again = this.#again;
    const doubtful = again ? first.filter(({ into }) => highest(into) < again.below) : [];
    await this.#judge(
      doubtful.flatMap((task) => again!.looks.map((look) => ({ ...task, look }))),
      timings,
    );
    const { faceScores, closeUpsMs } = await this.#weigh(first, timings);
    return {
      ok: true,
      kind: 'classify',
      scores: first.map(({ into }) => meanScores(into)),
      faceScores,
      secondLooks: doubtful.length,
      closeUpsMs,
      timings,
    };
  }

  /**
   * The output `face` for each box with what is around it; `null` where the manifest has no margin for that, and from a
   * model that does not tell faces.
   */
  faceScoresInContext(crops: readonly CropRequest[]): Promise<number[] | null> {
    return this.#lookAround(crops, noTime());
  }

  async #lookAround(crops: readonly CropRequest[], timings: Spent): Promise<number[] | null> {
    const look = this.#contextLook;
    if (!look) return null;
    const tasks = crops.map((crop): Task => ({ crop, look, into: nothing() }));
    await this.#judge(tasks, timings);
    return tasks.map(({ into }) => into.face);
  }

  /** Whether each crop shows a face; boxes that detector and classifier leave open are looked at again by both. */
  async #weigh(
    tasks: readonly Task[],
    timings: Spent,
  ): Promise<Pick<ClassifyResult, 'faceScores' | 'closeUpsMs'>> {
    const faceScores = tasks.map(({ into }) => into.face / into.looks);
    const weigher = this.#weigher;
    if (!weigher) return { faceScores, closeUpsMs: [] };
    const open: (OpenBox & { readonly index: number })[] = [];
    for (const [index, { crop }] of tasks.entries()) {
      if (crop.detectionScore === undefined) continue;
      const evidence = { detection: crop.detectionScore, crop: faceScores[index]! };
      const { probability, isOpen } = weigher.weigh(evidence);
      faceScores[index] = probability;
      if (isOpen) open.push({ index, crop, evidence });
    }
    const contexts = weigher.wantsContext
      ? await this.#lookAround(
          open.map(({ crop }) => crop),
          timings,
        )
      : null;
    const closeUpsMs: number[] = [];
    for (const [at, box] of open.entries()) {
      const { probability, closeUpMs } = await weigher.weighAgain(box, contexts?.[at] ?? null);
      faceScores[box.index] = probability;
      closeUpsMs.push(closeUpMs);
    }
    return { faceScores, closeUpsMs };
  }

  /** Runs once whatever a batch of these sizes may need. */
  async warmUp(batchSizes: readonly number[]): Promise<void> {
    for (const size of batchSizes) await this.measure(size);
    await this.#weigher?.warmUp();
  }

  /** One run on a black batch; ms. */
  async measure(batchSize: number): Promise<number> {
    this.#reserve(batchSize).fill(0);
    const startMs = performance.now();
    await this.#run(batchSize);
    return performance.now() - startMs;
  }

  /** Adds what the model says of each look to where it belongs. */
  async #judge(tasks: readonly Task[], timings: Spent): Promise<void> {
    for (let from = 0; from < tasks.length; from += MAX_BATCH) {
      const part = tasks.slice(from, from + MAX_BATCH);
      const startMs = performance.now();
      this.#cut(part);
      const preparedMs = performance.now();
      const { values, faceValues } = await this.#run(part.length);
      const inferredMs = performance.now();
      for (const [index, { into }] of part.entries()) {
        into.looks++;
        into.face += faceValues?.[index] ?? 1;
        for (const label of MASK_LABELS)
          if (this.#places[label] >= 0)
            into.scores[label] += values[index * this.#labelCount + this.#places[label]]!;
      }
      timings.prepareMs += preparedMs - startMs;
      timings.inferenceMs += inferredMs - preparedMs;
      timings.finishMs += performance.now() - inferredMs;
    }
  }

  #cut(tasks: readonly Task[]): void {
    const sizePx = this.#sizePx;
    const batch = this.#reserve(tasks.length);
    const cropBytes = sizePx ** 2 * 3;
    for (const [index, { crop, look }] of tasks.entries()) {
      const target = batch.subarray(index * cropBytes, (index + 1) * cropBytes);
      const geometry = {
        ...{ sizePx, marginRatio: look.marginRatio },
        rollDegrees: leanToTakeBack(crop.rollDegrees, this.#uprightFromDegrees),
      };
      extractCrop(viewPixels(crop.pixels), crop.box, geometry, target);
      if (look.isMirrored) flipHorizontally(target, sizePx, sizePx);
    }
  }

  /** The first `count` crops' place in the batch buffer, which grows to the largest batch seen. */
  #reserve(count: number): Uint8Array {
    const sizeBytes = count * this.#sizePx ** 2 * 3;
    if (this.#batch.length < sizeBytes) this.#batch = new Uint8Array(sizeBytes);
    return this.#batch.subarray(0, sizeBytes);
  }

  /** `values`: count × labels; `faceValues`: one per crop, or null. */
  async #run(count: number): Promise<{ values: Float32Array; faceValues: Float32Array | null }> {
    const sizePx = this.#sizePx;
    const input = { data: this.#reserve(count), shape: [count, sizePx, sizePx, 3] };
    const outputs = await this.#model.run({ [this.#inputName]: input });
    const values = outputs[this.#outputName]!.data;
    const faceValues = this.#faceOutputName === null ? null : outputs[this.#faceOutputName]!.data;
    const isWhole =
      values.length === count * this.#labelCount &&
      values.every(Number.isFinite) &&
      (faceValues === null || (faceValues.length === count && faceValues.every(Number.isFinite)));
    if (isWhole) return { values, faceValues };
    throw new AppError(
      'INFERENCE_FAILED',
      `the classifier gave ${values.length} scores for ${count} crops with ${this.#labelCount} labels, or some that are no numbers`,
    );
  }
}

function noTime(): Spent {
  return { prepareMs: 0, inferenceMs: 0, finishMs: 0 };
}

function nothing(): Gathered {
  return { looks: 0, scores: { with_mask: 0, without_mask: 0, mask_worn_incorrectly: 0 }, face: 0 };
}

function highest({ scores, looks }: Gathered): number {
  return Math.max(...MASK_LABELS.map((label) => scores[label])) / looks;
}

function meanScores({ scores, looks }: Gathered): MaskScores {
  return {
    with_mask: scores.with_mask / looks,
    without_mask: scores.without_mask / looks,
    mask_worn_incorrectly: scores.mask_worn_incorrectly / looks,
  };
}
