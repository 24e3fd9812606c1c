import type { DecodedFace } from '../../detection/yunet-decode.js';
import { type Box, iou } from '../../domain/box.js';
import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { matchBoxes } from '../dataset/match-boxes.js';
import type { ScenePicture } from '../dataset/picture.js';
import { isIgnored, isMostlyInside } from '../dataset/regions.js';

/** A scene, and what a detector told of it at the lowest score of interest, in pixels of the picture. */
export interface DetectedScene {
  readonly scene: ScenePicture;
  readonly faces: readonly DecodedFace[];
  /** Landmarks and boxes to compare with: the reference detector's, on the picture enlarged. */
  readonly reference: readonly DecodedFace[];
}

/** Shorter side of a labelled face in pixels of the analysed picture: lower bounds of the slices. */
export const SIZE_SLICES_PX = [16, 24, 40, 80] as const;

export interface Share {
  readonly found: number;
  readonly of: number;
}

export interface DetectionFigures {
  readonly scoreThreshold: number;
  /** Labelled faces found, of those of at least {@link SIZE_SLICES_PX}[0]. */
  readonly byLabel: Readonly<Record<MaskLabel, Share>>;
  /** Labelled faces, whatever the label, by lower bound of the slice. */
  readonly bySize: Readonly<Record<string, Share>>;
  /** Bare faces alone, by lower bound of the slice. */
  readonly bareBySize: Readonly<Record<string, Share>>;
  /** Labelled faces below the first slice. */
  readonly smaller: Share;
  /** Boxes on no known face and in no ignored region, per 100 pictures: unlabelled faces are among them. */
  readonly extraPer100: number;
  /** Of the places known to look like a face and to be none, those on which there is a box. */
  readonly notFaces: Share;
  /** Mean IoU of the boxes found with the reference's boxes of the same faces. */
  readonly referenceIou: number;
  /** Mean distance of the landmarks from the reference's, as a share of the distance between the eyes. */
  readonly landmarkError: number;
}

/** Longer side to which the pictures are thought to be brought when sizes are told, pixels. */
const ANALYSED_PX = 640;

/** Counts what is found at `scoreThreshold`. A face is found by a box with an IoU of 0.35 or more. */
export function detectionFigures(scenes: readonly DetectedScene[], scoreThreshold: number): DetectionFigures {
  const counts = { found: 0, of: 0 };
  const shares = (names: readonly (string | number)[]) =>
    Object.fromEntries(names.map((name) => [String(name), { ...counts }]));
  const byLabel = shares(MASK_LABELS);
  const bySize = shares(SIZE_SLICES_PX);
  const bareBySize = shares(SIZE_SLICES_PX);
  const smaller = { ...counts };
  const notFaces = { ...counts };
  let extra = 0;
  const overlaps: number[] = [];
  const distances: number[] = [];
  for (const { scene, faces, reference } of scenes) {
    const found = faces.filter(({ score }) => score >= scoreThreshold);
    const boxes = found.map(({ box }) => box);
    const known = [...scene.faces.map(({ box }) => box), ...scene.unclassified];
    const matches = matchBoxes(known, boxes);
    const scale = ANALYSED_PX / Math.max(scene.width, scene.height);
    scene.faces.forEach(({ box, label }, index) => {
      const isFound = matches[index] !== null;
      const slice = sliceOf(Math.min(box.width, box.height) * scale);
      for (const share of slice === null
        ? [smaller]
        : [byLabel[label]!, bySize[slice]!, ...(label === 'without_mask' ? [bareBySize[slice]!] : [])]) {
        share.of++;
        if (isFound) share.found++;
      }
    });
    const taken = new Set(matches);
    extra += boxes.filter(
      (box, index) => !taken.has(index) && !isIgnored(box, scene) && !isSecondBox(box, known),
    ).length;
    notFaces.of += scene.notFaces.length;
    notFaces.found += scene.notFaces.filter((place) => boxes.some((box) => isAt(box, place))).length;
    compareWithReference(found, reference, overlaps, distances);
  }
  return {
    scoreThreshold,
    byLabel: byLabel as Record<MaskLabel, Share>,
    bySize,
    bareBySize,
    smaller,
    extraPer100: (100 * extra) / Math.max(1, scenes.length),
    notFaces,
    referenceIou: mean(overlaps),
    landmarkError: mean(distances),
  };
}

function sliceOf(facePx: number): string | null {
  const lower = SIZE_SLICES_PX.findLast((bound) => facePx >= bound);
  return lower === undefined ? null : String(lower);
}

/** A box on a known face that is not the one counted for it: drawn otherwise, or a second one. */
function isSecondBox(box: Box, known: readonly Box[]): boolean {
  return known.some((face) => isMostlyInside(box, face) || isMostlyInside(face, box));
}

function isAt(box: Box, place: Box): boolean {
  return iou(box, place) >= 0.35;
}

function compareWithReference(
  found: readonly DecodedFace[],
  reference: readonly DecodedFace[],
  overlaps: number[],
  distances: number[],
): void {
  const matches = matchBoxes(
    reference.map(({ box }) => box),
    found.map(({ box }) => box),
  );
  reference.forEach((face, index) => {
    const other = found[matches[index] ?? -1];
    if (!other) return;
    overlaps.push(iou(face.box, other.box));
    const [right, left] = face.landmarks;
    // Eyes of a profile lie one behind the other: not less than a quarter of the face's width.
    const eyesPx = Math.max(Math.hypot(left.x - right.x, left.y - right.y), face.box.width / 4);
    distances.push(
      mean(
        face.landmarks.map((p, i) => Math.hypot(p.x - other.landmarks[i]!.x, p.y - other.landmarks[i]!.y)),
      ) / eyesPx,
    );
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
