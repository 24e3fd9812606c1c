import { type CropGeometry, cropRegion } from '../src/crops/extract.js';
import { type Box, iou } from '../src/domain/box.js';
import type { LoadedModel } from '../src/inference/engine.js';
import type { ModelManifest } from '../src/inference/manifest.js';
import { type Region, type RgbSource, resample } from '../src/lib/resample.js';
import { YunetModel } from './yunet-model.js';

/** A face in the close-up is that of the box from this overlap on; the box itself is not exact. */
const MATCH_IOU = 0.3;
/** What is said of a box on which the detector sees nothing this time. Its outputs are no probabilities below. */
const LOWEST_SCORE = 0.01;

/**
 * Lets the detector look once more at a single box, brought to one size in a small picture around it: what it took
 * for a face by chance, in another place and at another scale, it seldom takes for one again.
 */
export class CloseUpDetector {
  readonly #yunet: YunetModel;
  readonly #marginRatio: number;

  /** `detector` stays its owner's. Throws `AppError` MODEL_INVALID when the manifest is not that of such a detector. */
  constructor(detector: LoadedModel, manifest: ModelManifest, { sizePx, marginRatio }: CropGeometry) {
    this.#yunet = new YunetModel(detector, manifest, sizePx, sizePx);
    this.#marginRatio = marginRatio;
  }

  /** The best score of a face about where `box` (pixels of `picture`) is, in [0.01, 1]. Throws `AppError` PIXELS_BAD_INPUT. */
  async score(picture: RgbSource, box: Box): Promise<number> {
    const { input, widthPx } = this.#yunet;
    const region = within(cropRegion(box, this.#marginRatio), picture);
    resample(picture, region, {
      ...{ data: input, offset: 0, strideBytes: widthPx * 3 },
      ...{ width: widthPx, height: widthPx },
    });
    const scale = widthPx / region.width;
    const expected = {
      x: (box.x - region.x) * scale,
      y: (box.y - region.y) * scale,
      width: box.width * scale,
      height: box.height * scale,
    };
    const outputs = await this.#yunet.run();
    const faces = outputs.decode(LOWEST_SCORE).filter((face) => iou(face.box, expected) >= MATCH_IOU);
    // Best first.
    return Math.max(LOWEST_SCORE, faces[0]?.score ?? 0);
  }

  /** One run on a black picture; ms. */
  measure(): Promise<number> {
    return this.#yunet.measure();
  }
}

/** The region moved into the picture as far as it fits: what is made up beyond an edge would hide the face at it. */
function within(region: Region, { width, height, contentWidth, contentHeight }: RgbSource): Region {
  const moved = (from: number, side: number, whole: number) =>
    side >= whole ? (whole - side) / 2 : Math.min(Math.max(from, 0), whole - side);
  return {
    ...region,
    x: moved(region.x, region.width, contentWidth ?? width),
    y: moved(region.y, region.height, contentHeight ?? height),
  };
}
