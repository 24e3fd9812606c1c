import { extractCrop } from '../src/crops/extract.js';
import { MASK_LABELS, type MaskLabel, type MaskScores } from '../src/domain/label.js';
import type { LoadedModel } from '../src/inference/engine.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { AppError } from '../src/lib/errors.js';
import { viewPixels } from './pixel-view.js';
import type { ClassifyResult, ClassifyTask, CropRequest } from './protocol.js';

/** Crops that go through the model at once; more are taken in turns, so that memory stays bounded. */
const MAX_BATCH = 64;
/** Output of a classifier that also tells whether a crop shows a face: batch × 1, in [0, 1]. */
const FACE_OUTPUT = 'face';

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
  readonly #geometry: { readonly sizePx: number; readonly marginRatio: number };
  #batch = new Uint8Array(0);

  /** Throws `AppError` MODEL_INVALID when the manifest is not that of a mask classifier. */
  constructor(model: LoadedModel, manifest: ModelManifest) {
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
    this.#geometry = { sizePx, marginRatio: crop.marginRatio };
  }

  async classify({ crops }: ClassifyTask): Promise<ClassifyResult> {
    const timings = { prepareMs: 0, inferenceMs: 0, finishMs: 0 };
    const scores: MaskScores[] = [];
    const faceScores: number[] = [];
    for (let from = 0; from < crops.length; from += MAX_BATCH) {
      const part = crops.slice(from, from + MAX_BATCH);
      const startMs = performance.now();
      this.#cut(part);
      const preparedMs = performance.now();
      const { values, faceValues } = await this.#run(part.length);
      const inferredMs = performance.now();
      for (let i = 0; i < part.length; i++) {
        scores.push(this.#scoresAt(values, i * this.#labelCount));
        faceScores.push(faceValues?.[i] ?? 1);
      }
      timings.prepareMs += preparedMs - startMs;
      timings.inferenceMs += inferredMs - preparedMs;
      timings.finishMs += performance.now() - inferredMs;
    }
    return { ok: true, kind: 'classify', scores, faceScores, timings };
  }

  /** One run on a black batch; ms. */
  async measure(batchSize: number): Promise<number> {
    this.#reserve(batchSize).fill(0);
    const startMs = performance.now();
    await this.#run(batchSize);
    return performance.now() - startMs;
  }

  #cut(crops: readonly CropRequest[]): void {
    const batch = this.#reserve(crops.length);
    const cropBytes = batch.length / crops.length;
    for (const [index, { pixels, box }] of crops.entries())
      extractCrop(viewPixels(pixels), box, this.#geometry, batch, index * cropBytes);
  }

  /** The first `count` crops' place in the batch buffer, which grows to the largest batch seen. */
  #reserve(count: number): Uint8Array {
    const sizeBytes = count * this.#geometry.sizePx ** 2 * 3;
    if (this.#batch.length < sizeBytes) this.#batch = new Uint8Array(sizeBytes);
    return this.#batch.subarray(0, sizeBytes);
  }

  /** `values`: count × labels; `faceValues`: one per crop, or null. */
  async #run(count: number): Promise<{ values: Float32Array; faceValues: Float32Array | null }> {
    const { sizePx } = this.#geometry;
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

  #scoresAt(values: Float32Array, at: number): MaskScores {
    const score = (label: MaskLabel) => (this.#places[label] < 0 ? 0 : values[at + this.#places[label]]!);
    return {
      with_mask: score('with_mask'),
      without_mask: score('without_mask'),
      mask_worn_incorrectly: score('mask_worn_incorrectly'),
    };
  }
}
