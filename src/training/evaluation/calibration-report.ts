import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { seededRandom } from '../../lib/random.js';
import { calibratedScores, fitCalibration, fitTemperature, meanLogLoss } from '../metrics/calibration.js';
import { eceOfTally, type TalliedFace, tallyFaces } from '../metrics/tally.js';
import type { Reading } from './figures.js';
import type { FaceRecord } from './judge-pictures.js';

/** How far scores are from shares, over the judged faces. All ECE with 15 bins. */
export interface CalibrationReport {
  readonly faces: number;
  readonly ece: number;
  /** ECE of each label's score against how often the label is true (Kull et al., NeurIPS 2019). */
  readonly classwiseEce: Readonly<Record<MaskLabel, number>>;
  readonly meanClasswiseEce: number;
  /** Mean negative logarithm of the right label's score. */
  readonly logLoss: number;
  /**
   * What a further temperature, or a temperature and a bias per label, would make of it: fitted on the pictures of
   * one half and applied to the other, both ways. `value` is fitted on all. Null with too few faces for that.
   */
  readonly best: {
    readonly temperature: { readonly value: number; readonly ece: number; readonly logLoss: number };
    readonly temperatureAndBias: {
      readonly temperature: number;
      readonly bias: readonly number[];
      readonly ece: number;
      readonly logLoss: number;
    };
  } | null;
}

const FEWEST_FACES = 100;
/** Scores are stored as float32: a label ruled out altogether has no logarithm. */
const LOWEST_SCORE = 1e-7;

export function calibrationReport(faces: readonly FaceRecord[], reading: Reading): CalibrationReport {
  const judged = faces.flatMap((face) => {
    const read = reading(face);
    return read.scores ? [{ face, read }] : [];
  });
  const tally = tallyFaces(judged.map(({ read }) => read));
  const classwise = MASK_LABELS.map((_, label) => eceOfTally(tally, label));
  const logits = judged.map(({ read }) =>
    read.scores!.map((score) => Math.log(Math.max(score, LOWEST_SCORE))),
  );
  const labelled = judged.map(({ read }) => read.labelled);
  const plain = { temperature: 1, bias: MASK_LABELS.map(() => 0) };
  return {
    faces: judged.length,
    ece: eceOfTally(tally),
    classwiseEce: {
      with_mask: classwise[0]!,
      without_mask: classwise[1]!,
      mask_worn_incorrectly: classwise[2]!,
    },
    meanClasswiseEce: classwise.reduce((a, b) => a + b, 0) / classwise.length,
    logLoss: meanLogLoss(logits, labelled, plain),
    best:
      judged.length < FEWEST_FACES
        ? null
        : bestCalibration(
            judged.map(({ face }) => face),
            logits,
            labelled,
          ),
  };
}

function bestCalibration(
  faces: readonly FaceRecord[],
  logits: readonly (readonly number[])[],
  labelled: readonly number[],
): CalibrationReport['best'] {
  const random = seededRandom('maskwatch-calibration-halves');
  const halves = new Map<unknown, boolean>();
  for (const { picture } of faces) if (!halves.has(picture)) halves.set(picture, random.chance(0.5));
  const indices = faces.map((_, index) => index);
  const isFirst = (index: number) => halves.get(faces[index]!.picture)!;
  const parts = [indices.filter(isFirst), indices.filter((index) => !isFirst(index))];
  if (parts.some((part) => part.length < FEWEST_FACES / 4)) return null;
  const crossed = (learn: (on: readonly number[]) => { temperature: number; bias: readonly number[] }) => {
    const tallied: TalliedFace[] = [];
    let loss = 0;
    for (const [part, other] of [parts, parts.toReversed()]) {
      const calibration = learn(other!);
      loss +=
        meanLogLoss(
          part!.map((index) => logits[index]!),
          part!.map((index) => labelled[index]!),
          calibration,
        ) * part!.length;
      for (const index of part!) {
        const scores = calibratedScores(logits[index]!, calibration);
        tallied.push({ labelled: labelled[index]!, judged: scores.indexOf(Math.max(...scores)), scores });
      }
    }
    return { ece: eceOfTally(tallyFaces(tallied)), logLoss: loss / faces.length };
  };
  const pick = <T>(from: readonly T[], on: readonly number[]) => on.map((index) => from[index]!);
  const noBias = MASK_LABELS.map(() => 0);
  const temperature = (on: readonly number[]) => fitTemperature(pick(logits, on), pick(labelled, on));
  const both = (on: readonly number[]) => fitCalibration(pick(logits, on), pick(labelled, on));
  return {
    temperature: {
      value: temperature(indices),
      ...crossed((on) => ({ temperature: temperature(on), bias: noBias })),
    },
    temperatureAndBias: { ...both(indices), ...crossed(both) },
  };
}
