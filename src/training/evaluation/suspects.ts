import { type Box, iou } from '../../domain/box.js';
import type { MaskLabel, MaskScores } from '../../domain/label.js';
import { SAME_THING_IOU } from '../dataset/corrections.js';
import { MATCH_IOU } from '../dataset/match-boxes.js';
import type { LabelledPicture, ScenePicture } from '../dataset/picture.js';
import type { FaceRecord, JudgedPicture, UnmatchedDetection } from './judge-pictures.js';

interface Seen {
  readonly picture: LabelledPicture;
  /** Pixels of the picture: as labelled; of a picture of one person, and of a face without a label, as found. */
  readonly box: Box;
  readonly scores: MaskScores;
  /** Probability that the crop shows a face at all; 1 from classifiers that do not tell. */
  readonly faceScore: number;
  /** Shorter side of the box, pixels of the picture. */
  readonly facePx: number;
}

/** A label that the model holds for unlikely: a wrong label, or a mistake of the model. */
export interface LabelSuspect extends Seen {
  readonly kind: 'label';
  readonly label: MaskLabel;
  /** Cross-entropy of the label, nats; at most that of {@link LOWEST_SCORE}. */
  readonly lossNats: number;
}

/** A sure detection where there is no label: a face that was left out, or a false alarm. */
export interface UnlabelledSuspect extends Seen {
  readonly kind: 'unlabelled';
  readonly detectionScore: number;
}

export type Suspect = LabelSuspect | UnlabelledSuspect;

export interface Suspects {
  /** The highest loss first. */
  readonly labels: readonly LabelSuspect[];
  /** The surest first, by the product of the detector's score and the face score. */
  readonly unlabelled: readonly UnlabelledSuspect[];
  /** How many there were to choose from. */
  readonly outOf: { readonly labels: number; readonly unlabelled: number };
}

/** A score below counts as this much, so that every loss is a number. */
export const LOWEST_SCORE = 1e-7;
/** What the classifier holds for less of a face is left to the false boxes. */
const LEAST_FACE_SCORE = 0.5;

/**
 * The `most` labelled faces of the highest loss, judged by the crop alone, and the `most` surest detections on no
 * label. A detection that lies on a labelled face, or where somebody has said before that there is no face, is no
 * suspect.
 */
export function findSuspects(judged: readonly JudgedPicture[], most: number): Suspects {
  const labels = judged.flatMap(({ faces }) => faces.map(labelSuspect));
  const unlabelled = judged.flatMap(({ picture, unmatched }) =>
    picture.kind === 'scene'
      ? unmatched
          .filter((found) => isUnknown(found, picture))
          .map((found) => unlabelledSuspect(picture, found))
      : [],
  );
  const sureness = ({ detectionScore, faceScore }: UnlabelledSuspect) => detectionScore * faceScore;
  return {
    labels: labels.toSorted((a, b) => b.lossNats - a.lossNats).slice(0, most),
    unlabelled: unlabelled.toSorted((a, b) => sureness(b) - sureness(a)).slice(0, most),
    outOf: { labels: labels.length, unlabelled: unlabelled.length },
  };
}

function labelSuspect({ picture, label, labelledBox, scores, faceScore, facePx }: FaceRecord): LabelSuspect {
  const lossNats = -Math.log(Math.max(scores[label], LOWEST_SCORE));
  return { kind: 'label', picture, label, box: labelledBox, scores, faceScore, facePx, lossNats };
}

function unlabelledSuspect(
  picture: ScenePicture,
  { box, score, scores, faceScore, facePx }: UnmatchedDetection,
): UnlabelledSuspect {
  return { kind: 'unlabelled', picture, box, scores, faceScore, facePx, detectionScore: score };
}

function isUnknown({ box, faceScore }: UnmatchedDetection, { faces, notFaces }: ScenePicture): boolean {
  return (
    faceScore >= LEAST_FACE_SCORE &&
    !faces.some((face) => iou(face.box, box) >= SAME_THING_IOU) &&
    !notFaces.some((known) => iou(known, box) >= MATCH_IOU)
  );
}
