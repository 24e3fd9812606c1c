import { faceSharpness } from '../src/crops/sharpness.js';
import { letterbox } from '../src/detection/letterbox.js';
import { type DecodedFace, decodeYunet, type YunetLevel } from '../src/detection/yunet-decode.js';
import { scaleBox } from '../src/domain/box.js';
import type { FaceDetection, Landmarks } from '../src/domain/face.js';
import type { LoadedModel, Tensor } from '../src/inference/engine.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { PictureSampler } from '../src/ingest/picture-statistics.js';
import { AppError } from '../src/lib/errors.js';
import type { RgbSource } from '../src/lib/resample.js';
import { viewPixels } from './pixel-view.js';
import type { DetectResult, DetectTask } from './protocol.js';

interface LevelNames {
  readonly stride: number;
  readonly cls: string;
  readonly obj: string;
  readonly bbox: string;
  readonly kps: string;
}

/** Finds faces with a YuNet model; owns the one input buffer that every picture goes through. */
export class FaceFinder {
  readonly #model: LoadedModel;
  readonly #inputName: string;
  readonly #levels: readonly LevelNames[];
  readonly #width: number;
  readonly #height: number;
  readonly #input: Tensor & { data: Uint8Array };
  readonly #sampler = new PictureSampler();

  /** Throws `AppError` MODEL_INVALID when the manifest is not that of such a detector or takes another size. */
  constructor(model: LoadedModel, manifest: ModelManifest, width: number, height: number) {
    this.#model = model;
    this.#inputName = manifest.input.name;
    this.#levels = levelsOf(manifest);
    this.#width = width;
    this.#height = height;
    this.#input = { data: new Uint8Array(width * height * 3), shape: [1, height, width, 3] };
  }

  async detect({ pixels, scoreThreshold, wantsStatistics }: DetectTask): Promise<DetectResult> {
    const startMs = performance.now();
    const picture = viewPixels(pixels);
    const { scale } = letterbox(picture, this.#input.data, this.#width, this.#height);
    const preparedMs = performance.now();
    const outputs = await this.#model.run({ [this.#inputName]: this.#input });
    const inferredMs = performance.now();
    const faces = this.#decode(outputs, scoreThreshold).map((face) => toPicture(face, scale, picture));
    const statistics = wantsStatistics ? this.#sampler.measure(picture) : null;
    const endMs = performance.now();
    return {
      ok: true,
      kind: 'detect',
      faces,
      ...(statistics ? { statistics } : {}),
      timings: {
        prepareMs: preparedMs - startMs,
        inferenceMs: inferredMs - preparedMs,
        finishMs: endMs - inferredMs,
      },
    };
  }

  /** One run on a black picture; ms. */
  async measure(): Promise<number> {
    this.#input.data.fill(0);
    const startMs = performance.now();
    await this.#model.run({ [this.#inputName]: this.#input });
    return performance.now() - startMs;
  }

  #decode(
    outputs: Readonly<Record<string, { readonly data: Float32Array }>>,
    scoreThreshold: number,
  ): DecodedFace[] {
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
    return decodeYunet(levels, {
      inputWidth: this.#width,
      inputHeight: this.#height,
      scoreThreshold,
    });
  }
}

/** From pixels of the detector's input to pixels of the picture, with the sharpness measured there. */
function toPicture(face: DecodedFace, scale: number, picture: RgbSource): FaceDetection {
  const box = scaleBox(face.box, 1 / scale);
  const [a, b, c, d, e] = face.landmarks.map(({ x, y }) => ({ x: x / scale, y: y / scale }));
  const landmarks: Landmarks = [a!, b!, c!, d!, e!];
  return { box, score: face.score, landmarks, sharpness: faceSharpness(picture, box) };
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
