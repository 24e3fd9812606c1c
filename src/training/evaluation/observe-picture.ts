import type { Box } from '../../domain/box.js';
import type { CropJudgement, Landmarks } from '../../domain/face.js';
import { findPortraitFace } from '../dataset/face-finder.js';
import type { LabelledPicture } from '../dataset/picture.js';
import { readRgbPicture } from '../dataset/rgb-picture.js';
import { type FaceTraits, measureTraits } from './face-traits.js';
import type { PictureJudge } from './judge.js';

/** A detection and what the classifier says of it; lengths in pixels of the picture. */
export interface ObservedDetection extends CropJudgement {
  readonly box: Box;
  readonly score: number;
  readonly landmarks: Landmarks;
  readonly sharpness: number;
}

/** A labelled face by itself, with what the classifier says of the crop of its box. */
export interface ObservedFace extends CropJudgement {
  readonly traits: FaceTraits;
}

/**
 * All that the models say of one picture, before any rule or threshold: plain data, so that it can be kept and judged
 * again under other rules without running a model.
 */
export interface Observation {
  readonly width: number;
  readonly height: number;
  /** In the order of the scene's `faces`; for a picture of one person one, of the face found or of the whole. */
  readonly faces: readonly ObservedFace[];
  /** Everything from the judge's lowest score on; for a picture of one person its face or nothing. */
  readonly detections: readonly ObservedDetection[];
}

/** Runs the models over one picture. Throws `AppError` DATA_UNREADABLE or the worker's code. */
export async function observePicture(picture: LabelledPicture, judge: PictureJudge): Promise<Observation> {
  const rgb = await readRgbPicture(picture.path);
  const { width, height } = rgb;
  if (picture.kind === 'portrait') {
    const face = await findPortraitFace(rgb, judge);
    const box = face?.box ?? { x: 0, y: 0, width, height };
    const judgement =
      (await judge.classifyWhole(picture.path)) ?? (await judge.classify(rgb, [face ?? box]))[0]!;
    const faces = [{ ...judgement, traits: measureTraits(rgb, box) }];
    return { width, height, faces, detections: face ? [{ ...face, ...judgement }] : [] };
  }
  const found = await judge.findAll(rgb);
  const labelled = picture.faces.map(({ box }) => box);
  const judgements = await judge.classify(rgb, [...labelled, ...found]);
  return {
    width,
    height,
    faces: labelled.map((box, index) => ({ ...judgements[index]!, traits: measureTraits(rgb, box) })),
    detections: found.map((face, index) => ({ ...face, ...judgements[labelled.length + index]! })),
  };
}
