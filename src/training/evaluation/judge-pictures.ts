import { assessCrop, type CropThresholds } from '../../crops/assess-crop.js';
import { yawDegrees } from '../../crops/head-pose.js';
import type { Box } from '../../domain/box.js';
import { type MaskLabel, type MaskScores, type NotAssessableReason, topLabel } from '../../domain/label.js';
import { matchBoxes } from '../dataset/match-boxes.js';
import type { LabelledPicture, PortraitPicture, ScenePicture } from '../dataset/picture.js';
import { isIgnored } from '../dataset/regions.js';
import type { FaceTraits } from './face-traits.js';
import type { Observation, ObservedDetection } from './observe-picture.js';

/** One labelled face and what became of it. */
export interface FaceRecord {
  readonly picture: LabelledPicture;
  readonly label: MaskLabel;
  /** The box as labelled; of a picture of one person the box that was judged. */
  readonly labelledBox: Box;
  /** The box that was judged: the detector's, or the label's own where nothing was found. */
  readonly box: Box;
  /** Shorter side of the labelled box, pixels of the picture. */
  readonly facePx: number;
  /** The same with the picture brought to a width of {@link REFERENCE_WIDTH_PX}. */
  readonly referencePx: number;
  readonly isFound: boolean;
  /** Whether the detector found it, whatever the classifier holds of it. */
  readonly isDetected: boolean;
  /** Scores of the crop of `box`: told for every face, also for those that count as missed. */
  readonly scores: MaskScores;
  /** Probability that `box` shows a face at all, as in `CropJudgement`. */
  readonly faceScore: number;
  /** Why it is not assessable; null when it was judged or not found. */
  readonly reason: NotAssessableReason | null;
  /** Quality of the crop in [0, 1] as the service weighs it; null when not found. */
  readonly quality: number | null;
  /** Estimated from the landmarks of the nearest detection, however weak; null where there is none. */
  readonly yawDegrees: number | null;
  readonly traits: FaceTraits;
}

/** A detection on no labelled face. */
export interface UnmatchedDetection {
  readonly box: Box;
  readonly score: number;
  readonly scores: MaskScores;
  /** As in {@link FaceRecord}. */
  readonly faceScore: number;
  /** Shorter side, pixels of the picture. */
  readonly facePx: number;
  readonly outcome: MaskLabel | 'not_assessable';
}

/** All detections of a picture, for average precision. */
export interface ScoredDetection {
  readonly score: number;
  readonly isOnFace: boolean;
}

export interface JudgedPicture {
  readonly picture: LabelledPicture;
  readonly faces: readonly FaceRecord[];
  /** Labelled faces that are smaller than asked for and so are not counted at all. */
  readonly leftOut: number;
  readonly unmatched: readonly UnmatchedDetection[];
  /** Matched at IoU 0.5. */
  readonly detections: readonly ScoredDetection[];
}

export interface JudgeRules {
  readonly crop: CropThresholds;
  /** Detections below this score are not faces to the product. */
  readonly scoreThreshold: number;
  /** Boxes with a lower `faceScore` are none to the product. Default 0. */
  readonly minFaceScore?: number;
  /** Judgements whose highest score is below this are `low_certainty`. */
  readonly minCertainty: number;
  /** Longer side to which the detector brings a picture, pixels: the space of `crop.minFacePx`. */
  readonly analysedPx: number;
  /** Labelled faces smaller than this, `referencePx`, are not counted. Default 0: all are. */
  readonly minLabelledPx?: number;
}

/** Picture width at which the sizes of labelled faces are compared, pixels. */
export const REFERENCE_WIDTH_PX = 640;

/** Judges what was observed of one picture as the product would. Pure. */
export function judgePicture(
  picture: LabelledPicture,
  observation: Observation,
  rules: JudgeRules,
): JudgedPicture {
  return picture.kind === 'scene'
    ? judgeScene(picture, observation, rules)
    : judgePortrait(picture, observation);
}

function judgeScene(picture: ScenePicture, observation: Observation, rules: JudgeRules): JudgedPicture {
  const all = observation.detections;
  const found = all.filter(
    ({ score, faceScore }) => score >= rules.scoreThreshold && faceScore >= (rules.minFaceScore ?? 0),
  );
  const labelledBoxes = picture.faces.map(({ box }) => box);
  const boxesOf = (detections: readonly ObservedDetection[]) => detections.map(({ box }) => box);
  const matches = matchBoxes(labelledBoxes, boxesOf(found));
  const detected = matchBoxes(
    labelledBoxes,
    boxesOf(all.filter(({ score }) => score >= rules.scoreThreshold)),
  );
  const anyMatches = matchBoxes(labelledBoxes, boxesOf(all));
  const assessments = found.map((face) => assess(face, observation, rules));
  const faces = picture.faces.map(({ box, label }, index): FaceRecord => {
    const match = matches[index] ?? null;
    const own = observation.faces[index]!;
    const nearest = anyMatches[index] ?? null;
    const detection = match === null ? null : found[match]!;
    const facePx = Math.min(box.width, box.height);
    return {
      picture,
      label,
      labelledBox: box,
      box: detection?.box ?? box,
      facePx,
      referencePx: (facePx * REFERENCE_WIDTH_PX) / observation.width,
      isFound: detection !== null,
      isDetected: detected[index] !== null,
      scores: (detection ?? own).scores,
      faceScore: (detection ?? own).faceScore,
      reason: match === null ? null : assessments[match]!.reason,
      quality: match === null ? null : assessments[match]!.quality,
      yawDegrees: nearest === null ? null : yawDegrees(all[nearest]!.landmarks),
      traits: own.traits,
    };
  });
  const counted = faces.filter(({ referencePx }) => referencePx >= (rules.minLabelledPx ?? 0));
  // A face whose label nobody can tell, and regions that are not counted: a box there is neither right nor wrong.
  const isPassedOver = passedOver(picture, new Set(matches), boxesOf(found));
  const onFaceAtHalf = new Set(matchBoxes(labelledBoxes, boxesOf(all), 0.5));
  const isPassedOverAtHalf = passedOver(picture, onFaceAtHalf, boxesOf(all));
  return {
    picture,
    faces: counted,
    leftOut: faces.length - counted.length,
    unmatched: found.flatMap(({ box, score, scores, faceScore }, index) => {
      if (isPassedOver(index)) return [];
      const outcome = assessments[index]!.reason === null ? topLabel(scores) : ('not_assessable' as const);
      return [{ box, score, scores, faceScore, facePx: Math.min(box.width, box.height), outcome }];
    }),
    detections: all.flatMap(({ score }, index): ScoredDetection[] =>
      onFaceAtHalf.has(index)
        ? [{ score, isOnFace: true }]
        : isPassedOverAtHalf(index)
          ? []
          : [{ score, isOnFace: false }],
    ),
  };
}

function assess(
  face: ObservedDetection,
  { width, height }: Observation,
  rules: JudgeRules,
): { readonly reason: NotAssessableReason | null; readonly quality: number } {
  const geometry = {
    frameWidth: width,
    frameHeight: height,
    sourceScale: Math.max(1, Math.max(width, height) / rules.analysedPx),
  };
  const assessment = assessCrop(face, geometry, rules.crop);
  const { quality } = assessment;
  if (!assessment.assessable) return { reason: assessment.reason, quality };
  const isSure = face.scores[topLabel(face.scores)] >= rules.minCertainty;
  return { reason: isSure ? null : 'low_certainty', quality };
}

/** Whether a detection is on a labelled face (`taken`), on one without a label, or in a region that is not counted. */
function passedOver(
  picture: ScenePicture,
  taken: ReadonlySet<number | null>,
  boxes: readonly Box[],
): (index: number) => boolean {
  const onUnclassified = new Set(
    matchBoxes(
      picture.unclassified,
      boxes.map((box, index) => (taken.has(index) ? NOWHERE : box)),
    ),
  );
  return (index) => taken.has(index) || onUnclassified.has(index) || isIgnored(boxes[index]!, picture);
}
const NOWHERE: Box = { x: -1e9, y: -1e9, width: 1, height: 1 };

/** A picture of one person is always judged: by the biggest face in it, or whole where none is found. */
function judgePortrait(picture: PortraitPicture, { width, height, ...seen }: Observation): JudgedPicture {
  const face = seen.detections[0] ?? null;
  const own = seen.faces[0]!;
  const box = face?.box ?? { x: 0, y: 0, width, height };
  const facePx = Math.min(box.width, box.height);
  const record: FaceRecord = {
    picture,
    label: picture.label,
    labelledBox: box,
    box,
    facePx,
    referencePx: (facePx * REFERENCE_WIDTH_PX) / width,
    isFound: face !== null,
    isDetected: face !== null,
    scores: own.scores,
    faceScore: own.faceScore,
    reason: null,
    quality: null,
    yawDegrees: face ? yawDegrees(face.landmarks) : null,
    traits: own.traits,
  };
  return { picture, faces: [record], leftOut: 0, unmatched: [], detections: [] };
}
