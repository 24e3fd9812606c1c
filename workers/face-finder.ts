import { faceSharpness } from '../src/crops/sharpness.js';
import { letterbox } from '../src/detection/letterbox.js';
import type { DecodedFace } from '../src/detection/yunet-decode.js';
import { scaleBox } from '../src/domain/box.js';
import type { FaceDetection, Landmarks } from '../src/domain/face.js';
import type { LoadedModel } from '../src/inference/engine.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { PictureSampler } from '../src/ingest/picture-statistics.js';
import type { RgbSource } from '../src/lib/resample.js';
import { viewPixels } from './pixel-view.js';
import type { DetectResult, DetectTask } from './protocol.js';
import { YunetModel } from './yunet-model.js';

/** Finds faces in whole pictures with a YuNet model. */
export class FaceFinder {
  readonly #yunet: YunetModel;
  readonly #sampler = new PictureSampler();

  /** Throws `AppError` MODEL_INVALID when the manifest is not that of such a detector. */
  constructor(model: LoadedModel, manifest: ModelManifest, widthPx: number, heightPx: number) {
    this.#yunet = new YunetModel(model, manifest, widthPx, heightPx);
  }

  async detect({ pixels, scoreThreshold, wantsStatistics }: DetectTask): Promise<DetectResult> {
    const startMs = performance.now();
    const picture = viewPixels(pixels);
    const { input, widthPx, heightPx } = this.#yunet;
    const { scale } = letterbox(picture, input, widthPx, heightPx);
    const preparedMs = performance.now();
    const outputs = await this.#yunet.run();
    const inferredMs = performance.now();
    const faces = outputs.decode(scoreThreshold).map((face) => toPicture(face, scale, picture));
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
  measure(): Promise<number> {
    return this.#yunet.measure();
  }
}

/** From pixels of the detector's input to pixels of the picture, with the sharpness measured there. */
function toPicture(face: DecodedFace, scale: number, picture: RgbSource): FaceDetection {
  const box = scaleBox(face.box, 1 / scale);
  const [a, b, c, d, e] = face.landmarks.map(({ x, y }) => ({ x: x / scale, y: y / scale }));
  const landmarks: Landmarks = [a!, b!, c!, d!, e!];
  return { box, score: face.score, landmarks, sharpness: faceSharpness(picture, box) };
}
