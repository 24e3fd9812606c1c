import type { Landmarks } from '../../../../src/domain/face.js';
import type { MaskLabel } from '../../../../src/domain/label.js';
import type { ScenePicture } from '../../../../src/training/dataset/picture.js';
import type { FaceRecord, JudgedPicture } from '../../../../src/training/evaluation/judge-pictures.js';

export function scene(id: string, more: Partial<ScenePicture> = {}): ScenePicture {
  return {
    kind: 'scene',
    path: `/scenes/${id}`,
    id: `some/set/${id}`,
    dataset: 'some/set',
    width: 640,
    height: 480,
    faces: [],
    unclassified: [],
    ignored: [],
    notFaces: [],
    ...more,
  };
}

/** A labelled face and what it was judged to be, at `score`. */
export function faceRecord(
  label: MaskLabel,
  judged: MaskLabel,
  { score = 0.8, ...more }: Partial<FaceRecord> & { score?: number } = {},
): FaceRecord {
  const rest = (1 - score) / 2;
  const box = { x: 10, y: 10, width: 40, height: 48 };
  return {
    picture: scene('a.jpg'),
    label,
    labelledBox: box,
    box,
    facePx: 40,
    referencePx: 40,
    isFound: true,
    isDetected: true,
    scores: { with_mask: rest, without_mask: rest, mask_worn_incorrectly: rest, [judged]: score },
    faceScore: 1,
    reason: null,
    quality: 0.6,
    yawDegrees: 5,
    traits: { brightness: 120, sharpness: 900, skinShare: 0.1, lowerColour: 'blue' },
    ...more,
  };
}

export function judgedPicture(
  faces: readonly FaceRecord[],
  more: Partial<JudgedPicture> = {},
): JudgedPicture {
  return {
    picture: faces[0]?.picture ?? scene('a.jpg'),
    faces,
    leftOut: 0,
    unmatched: [],
    detections: [],
    ...more,
  };
}

/** Landmarks of a face of 50 × 60 px at (`x`, 60) that looks straight ahead. */
export function landmarksAt(x: number): Landmarks {
  const at = (right: number, y: number) => ({ x: x + right, y });
  return [at(15, 85), at(35, 85), at(25, 95), at(17, 108), at(33, 108)];
}
