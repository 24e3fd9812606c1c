import { type DecodedFace, decodeYunet, type YunetLevel } from '../src/detection/yunet-decode.js';
import type { LoadedModel, Tensor } from '../src/inference/engine.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { AppError } from '../src/lib/errors.js';

interface LevelNames {
  readonly stride: number;
  readonly cls: string;
  readonly obj: string;
  readonly bbox: string;
  readonly kps: string;
}

/** A loaded YuNet at one size of input, with the one buffer that every picture goes through. */
export class YunetModel {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly #model: LoadedModel;
  readonly #inputName: string;
  readonly #levels: readonly LevelNames[];
  readonly #input: Tensor & { data: Uint8Array };

  /** `model` stays its owner's. Throws `AppError` MODEL_INVALID when the manifest is not that of such a detector. */
  constructor(model: LoadedModel, manifest: ModelManifest, widthPx: number, heightPx: number) {
    this.#model = model;
    this.#inputName = manifest.input.name;
    this.#levels = levelsOf(manifest);
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.#input = { data: new Uint8Array(widthPx * heightPx * 3), shape: [1, heightPx, widthPx, 3] };
  }

  /** rgb24 rows, to be written before {@link run}. */
  get input(): Uint8Array {
    return this.#input.data;
  }

  /** Runs the model on what lies in {@link input}; `decode` gives the faces in its pixels, best first. */
  async run(): Promise<{ decode(scoreThreshold: number): DecodedFace[] }> {
    const outputs = await this.#model.run({ [this.#inputName]: this.#input });
    const data = (name: string) => outputs[name]!.data;
    const levels = this.#levels.map(
      ({ stride, cls, obj, bbox, kps }): YunetLevel => ({
        stride,
        cls: data(cls),
        obj: data(obj),
        bbox: data(bbox),
        kps: data(kps),
      }),
    );
    const size = { inputWidth: this.widthPx, inputHeight: this.heightPx };
    return { decode: (scoreThreshold) => decodeYunet(levels, { ...size, scoreThreshold }) };
  }

  /** One run on a black picture; ms. */
  async measure(): Promise<number> {
    this.#input.data.fill(0);
    const startMs = performance.now();
    await this.#model.run({ [this.#inputName]: this.#input });
    return performance.now() - startMs;
  }
}

/** Outputs are told apart by the beginning of their names, `cls`, `obj`, `bbox` and `kps`, and their stride. */
function levelsOf(manifest: ModelManifest): LevelNames[] {
  const strides = [...new Set(manifest.outputs.flatMap(({ stride }) => stride ?? []))].sort((a, b) => a - b);
  const nameOf = (kind: string, stride: number): string => {
    const output = manifest.outputs.find(
      (candidate) => candidate.stride === stride && candidate.name.startsWith(kind),
    );
    if (output) return output.name;
    throw new AppError('MODEL_INVALID', `model ${manifest.name} has no output ${kind} at stride ${stride}`);
  };
  if (manifest.task !== 'face-detection' || strides.length === 0)
    throw new AppError('MODEL_INVALID', `model ${manifest.name} is not a face detector with strides`);
  return strides.map((stride) => ({
    stride,
    cls: nameOf('cls', stride),
    obj: nameOf('obj', stride),
    bbox: nameOf('bbox', stride),
    kps: nameOf('kps', stride),
  }));
}
