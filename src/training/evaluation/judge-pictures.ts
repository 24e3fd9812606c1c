import { assessCrop, type CropThresholds } from '../../crops/assess-crop.js';
import type { Box } from '../../domain/box.js';
import { type MaskLabel, type MaskScores, type NotAssessableReason, topLabel } from '../../domain/label.js';
import { findPortraitFace } from '../dataset/face-finder.js';
import { matchBoxes } from '../dataset/match-boxes.js';
import type { LabelledPicture, PortraitPicture, ScenePicture } from '../dataset/picture.js';
import { type RgbPicture, readRgbPicture } from '../dataset/rgb-picture.js';
import type { PictureJudge } from './judge.js';

/** One labelled face and what became of it. */
export interface FaceRecord {
  readonly picture: LabelledPicture;
  readonly label: MaskLabel;
  /** The box that was judged: the detector's, or the label's own where nothing was found. */
  readonly box: Box;
  /** Shorter side of the labelled box, pixels of the picture. */
  readonly facePx: number;
  readonly isFound: boolean;
  /** Scores of the crop of `box`: told for every face, also for those that count as missed. */
  readonly scores: MaskScores;
  /** Why it is not assessable; null when it was judged or not found. */
  readonly reason: NotAssessableReason | null;
}

/** A detection on no labelled face. */
export interface UnmatchedDetection {
  readonly facePx: number;
  readonly outcome: MaskLabel | 'not_assessable';
}

/** All detections of a picture, for average precision. */
export interface ScoredDetection {
  readonly score: number;
  readonly isOnFace: boolean;
}

export interface JudgedPicture {
  readonly faces: readonly FaceRecord[];
  readonly unmatched: readonly UnmatchedDetection[];
  /** Matched at IoU 0.5. */
  readonly detections: readonly ScoredDetection[];
}

export interface JudgeRules {
  readonly crop: CropThresholds;
  /** Detections below this score are not faces to the product. */
  readonly scoreThreshold: number;
  /** Judgements whose highest score is below this are `low_certainty`. */
  readonly minCertainty: number;
  /** Longer side to which the detector brings a picture, pixels: the space of `crop.minFacePx`. */
  readonly analysedPx: number;
}

/** Judges one picture as the product would. Throws `AppError` DATA_UNREADABLE or the worker's code. */
export async function judgePicture(
  picture: LabelledPicture,
  judge: PictureJudge,
  rules: JudgeRules,
): Promise<JudgedPicture> {
  const rgb = await readRgbPicture(picture.path);
  return picture.kind === 'scene'
    ? judgeScene(picture, rgb, judge, rules)
    : judgePortrait(picture, rgb, judge);
}

async function judgeScene(
  picture: ScenePicture,
  rgb: RgbPicture,
  judge: PictureJudge,
  rules: JudgeRules,
): Promise<JudgedPicture> {
  const all = await judge.find(rgb);
  const found = all.filter(({ score }) => score >= rules.scoreThreshold);
  const labelledBoxes = picture.faces.map(({ box }) => box);
  const matches = matchBoxes(
    labelledBoxes,
    found.map(({ box }) => box),
  );
  const missed = labelledBoxes.filter((_, index) => matches[index] === null);
  const scores = await judge.classify(rgb, [...found.map(({ box }) => box), ...missed]);
  const geometry = {
    frameWidth: rgb.width,
    frameHeight: rgb.height,
    sourceScale: Math.max(1, Math.max(rgb.width, rgb.height) / rules.analysedPx),
  };
  const reasons = found.map((face, index) => {
    const assessment = assessCrop(face, geometry, rules.crop);
    if (!assessment.assessable) return assessment.reason;
    const highest = scores[index]![topLabel(scores[index]!)];
    return highest < rules.minCertainty ? ('low_certainty' as const) : null;
  });
  let missedSoFar = 0;
  const faces = picture.faces.map(({ box, label }, index): FaceRecord => {
    const match = matches[index] ?? null;
    const facePx = Math.min(box.width, box.height);
    if (match === null)
      return {
        picture,
        label,
        box,
        facePx,
        isFound: false,
        scores: scores[found.length + missedSoFar++]!,
        reason: null,
      };
    return {
      picture,
      label,
      box: found[match]!.box,
      facePx,
      isFound: true,
      scores: scores[match]!,
      reason: reasons[match]!,
    };
  });
  const taken = new Set(matches);
  const onFaceAtHalf = new Set(
    matchBoxes(
      labelledBoxes,
      all.map(({ box }) => box),
      0.5,
    ),
  );
  return {
    faces,
    unmatched: found.flatMap(({ box }, index) =>
      taken.has(index)
        ? []
        : [
            {
              facePx: Math.min(box.width, box.height),
              outcome: reasons[index] === null ? topLabel(scores[index]!) : ('not_assessable' as const),
            },
          ],
    ),
    detections: all.map(({ score }, index) => ({ score, isOnFace: onFaceAtHalf.has(index) })),
  };
}

/** A picture of one person is always judged: by the biggest face in it, or whole where none is found. */
async function judgePortrait(
  picture: PortraitPicture,
  rgb: RgbPicture,
  judge: PictureJudge,
): Promise<JudgedPicture> {
  const face = await findPortraitFace(rgb, judge);
  const box = face?.box ?? { x: 0, y: 0, width: rgb.width, height: rgb.height };
  const [scores] = await judge.classify(rgb, [box]);
  const record: FaceRecord = {
    picture,
    label: picture.label,
    box,
    facePx: Math.min(box.width, box.height),
    isFound: face !== null,
    scores: scores!,
    reason: null,
  };
  return { faces: [record], unmatched: [], detections: [] };
}
