import { CloseUpDetector } from '../../../workers/close-up-detector.js';
import { CropClassifier } from '../../../workers/crop-classifier.js';
import { FaceFinder } from '../../../workers/face-finder.js';
import { cropRequestOf } from '../../crops/crop-request.js';
import type { CropGeometry } from '../../crops/extract.js';
import { type Box, iou } from '../../domain/box.js';
import { readManifest } from '../../inference/manifest.js';
import { OnnxRuntimeEngine } from '../../inference/onnxruntime-engine.js';
import type { LabelledPicture } from '../dataset/picture.js';
import { readRgbPicture, toPixelBuffer } from '../dataset/rgb-picture.js';

/** A box of the detector, what each look at it says, all in [0, 1], and what it shows. */
export interface MeasuredBox {
  readonly detection: number;
  /** The classifier's output `face`. */
  readonly crop: number;
  readonly closeUp: number;
  /** The output `face` for the box with what is around it; null from a classifier whose manifest has no margin for it. */
  readonly context: number | null;
  readonly isFace: boolean;
  /**
   * A face that annotators left out and whose label nobody can tell: blurred, small, in profile. Not fitted
   * on; tells how a fit does on hard faces.
   */
  readonly isUnlabelled: boolean;
}

/** A detector as it is in use. */
export interface WeighedDetector {
  readonly dir: string;
  /** Side of the square that pictures are brought to, pixels. */
  readonly sizePx: number;
  /** The threshold in force: what lies below is never weighed. */
  readonly scoreThreshold: number;
}

export interface MeasureBoxesOptions {
  readonly detector: WeighedDetector;
  readonly classifierDir: string;
  readonly closeUp: CropGeometry;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

const MATCH_IOU = 0.35;

/**
 * What detector and classifier say of every box, from the detector's threshold on, that lies on a face of a scene,
 * labelled or not, or on a place of which people said that it shows none; boxes on neither say nothing and are left out.
 * Rejects with `AppError` MODEL_…, DATA_UNREADABLE, or the signal's reason.
 */
export async function measureBoxes(
  pictures: readonly LabelledPicture[],
  options: MeasureBoxesOptions,
): Promise<MeasuredBox[]> {
  const { classifierDir, onProgress, signal } = options;
  const { dir: detectorDir, sizePx, scoreThreshold } = options.detector;
  const engine = await OnnxRuntimeEngine.open({ threads: 2 });
  const boxes: MeasuredBox[] = [];
  try {
    const detector = await engine.load(detectorDir);
    const manifest = await readManifest(detectorDir);
    const finder = new FaceFinder(detector, manifest, sizePx, sizePx);
    const closeUp = new CloseUpDetector(detector, manifest, options.closeUp);
    // Without weights: they are what is looked for.
    const classifier = new CropClassifier(
      await engine.load(classifierDir),
      await readManifest(classifierDir),
      null,
    );
    for (const [index, picture] of pictures.entries()) {
      signal?.throwIfAborted();
      if (picture.kind === 'scene') {
        const rgb = await readRgbPicture(picture.path);
        const pixels = toPixelBuffer(rgb);
        const { faces } = await finder.detect({ kind: 'detect', pixels, scoreThreshold });
        const known = faces.flatMap((face) => {
          const isOn = (places: readonly Box[]) => places.some((place) => iou(place, face.box) >= MATCH_IOU);
          if (isOn(picture.faces.map(({ box }) => box))) return [{ face, isFace: true, isUnlabelled: false }];
          if (isOn(picture.unclassified)) return [{ face, isFace: true, isUnlabelled: true }];
          return isOn(picture.notFaces) ? [{ face, isFace: false, isUnlabelled: false }] : [];
        });
        const crops = known.map(({ face }) => cropRequestOf(face, pixels));
        const { faceScores } = await classifier.classify({ kind: 'classify', crops });
        const contexts = await classifier.faceScoresInContext(crops);
        for (const [at, { face, isFace, isUnlabelled }] of known.entries())
          boxes.push({
            detection: face.score,
            crop: faceScores[at]!,
            closeUp: await closeUp.score(rgb, face.box),
            context: contexts?.[at] ?? null,
            ...{ isFace, isUnlabelled },
          });
      }
      onProgress?.(index + 1);
    }
  } finally {
    await engine.close();
  }
  return boxes;
}
