import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { bootstrapIntervals, type Interval } from '../metrics/bootstrap.js';
import { mcnemarPValue } from '../metrics/mcnemar.js';
import { eceOfTally, metricsOfTally } from '../metrics/tally.js';
import { byCropAlone, sumOf, talliesByPicture } from './figures.js';
import type { FaceRecord } from './judge-pictures.js';
import { type GateRules, type GateVerdict, judgeGate } from './promotion-gate.js';

/** A figure of both models; the interval (95 %, paired bootstrap by picture) is that of the difference. */
export interface PairedFigure {
  readonly candidate: number;
  readonly incumbent: number;
  /** Candidate less incumbent. */
  readonly difference: number;
  readonly interval: Interval;
}

/** Two classifiers on the same crops of the same faces. */
export interface ModelComparison {
  readonly candidate: string;
  readonly incumbent: string;
  readonly faces: number;
  readonly pictures: number;
  /** Pictures left out because the split of one of the two models does not keep them for this part. */
  readonly leftOutPictures: number;
  readonly accuracy: PairedFigure;
  readonly macroF1: PairedFigure;
  /** F1 of the labels that occur. */
  readonly labels: Readonly<Partial<Record<MaskLabel, PairedFigure>>>;
  readonly ece: PairedFigure;
  /** Share of the faces found that each takes for a face at all. */
  readonly facesKept: { readonly candidate: number; readonly incumbent: number };
  readonly mcnemar: {
    readonly onlyCandidateRight: number;
    readonly onlyIncumbentRight: number;
    /** Two-sided, exact. */
    readonly pValue: number;
  };
  readonly gate: GateVerdict;
}

/** The same faces in the same order, judged by both models. */
export interface ComparedFaces {
  readonly candidate: readonly FaceRecord[];
  readonly incumbent: readonly FaceRecord[];
}

/**
 * Compares two models on the labels they give to the same crops, whatever the rules make of them. Throws when the
 * faces are not the same.
 */
export function compareModels(
  { candidate, incumbent }: ComparedFaces,
  {
    minFaceScore = 0,
    ...names
  }: Pick<ModelComparison, 'candidate' | 'incumbent' | 'leftOutPictures'> & {
    /** Below it a crop counts as no face. Default 0. */
    readonly minFaceScore?: number;
  },
  rules?: GateRules,
): ModelComparison {
  if (
    candidate.length !== incumbent.length ||
    candidate.some((face, index) => face.picture.path !== incumbent[index]!.picture.path)
  )
    throw new Error('two models are compared on different faces');
  const ours = talliesByPicture(candidate, byCropAlone);
  const theirs = talliesByPicture(incumbent, byCropAlone);
  const length = ours[0]?.length ?? 0;
  const both = ours.map((tally, index) => {
    const joined = new Float64Array(2 * length);
    joined.set(tally);
    joined.set(theirs[index]!, length);
    return joined;
  });
  const occurring = MASK_LABELS.filter((label) => candidate.some((face) => face.label === label));
  const figuresOf = (tally: Float64Array) => {
    const { accuracy, macroF1, labels } = metricsOfTally(tally);
    return [accuracy, macroF1, eceOfTally(tally), ...occurring.map((label) => labels[label].f1)];
  };
  const differences = bootstrapIntervals(both, (sum) => {
    const first = figuresOf(sum.subarray(0, length));
    const second = figuresOf(sum.subarray(length));
    return first.map((figure, index) => figure - second[index]!);
  });
  const [first, second] = [figuresOf(sumOf(ours)), figuresOf(sumOf(theirs))];
  const paired = first.map(
    (figure, index): PairedFigure => ({
      candidate: figure,
      incumbent: second[index]!,
      difference: figure - second[index]!,
      interval: differences[index] ?? { low: 0, high: 0 },
    }),
  );
  const [accuracy, macroF1, ece, ...perLabel] = paired;
  const isRight = (face: FaceRecord) => {
    const { labelled, judged } = byCropAlone(face);
    return labelled === judged;
  };
  const onlyRight = (some: readonly FaceRecord[], others: readonly FaceRecord[]) =>
    some.filter((face, index) => isRight(face) && !isRight(others[index]!)).length;
  const onlyCandidateRight = onlyRight(candidate, incumbent);
  const onlyIncumbentRight = onlyRight(incumbent, candidate);
  const keptShare = (faces: readonly FaceRecord[]) => {
    const detected = faces.filter(({ isDetected }) => isDetected);
    const kept = detected.filter(({ isFound, faceScore }) => isFound && faceScore >= minFaceScore);
    return kept.length / Math.max(1, detected.length);
  };
  const figures = {
    faces: candidate.length,
    facesKept: { candidate: keptShare(candidate), incumbent: keptShare(incumbent) },
    accuracy: accuracy!,
    macroF1: macroF1!,
    ece: ece!,
    labels: Object.fromEntries(occurring.map((label, index) => [label, perLabel[index]!])),
  };
  return {
    ...names,
    pictures: both.length,
    ...figures,
    mcnemar: {
      onlyCandidateRight,
      onlyIncumbentRight,
      pValue: mcnemarPValue(onlyCandidateRight, onlyIncumbentRight),
    },
    gate: judgeGate(figures, rules),
  };
}
