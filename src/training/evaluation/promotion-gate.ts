import type { ModelComparison } from './model-comparison.js';

export interface GateRules {
  /** By how much the F1 of a label may be lower than the incumbent's. */
  readonly labelMargin: number;
  /** By how much the share of faces that are taken for faces may be lower. */
  readonly keptMargin: number;
  /** An ECE up to here is good enough; above it, it may not be higher than the incumbent's. */
  readonly enoughEce: number;
  /** With fewer faces nothing is promoted. */
  readonly fewestFaces: number;
}

export const GATE_RULES: GateRules = {
  labelMargin: 0.02,
  keptMargin: 0.01,
  enoughEce: 0.03,
  fewestFaces: 100,
};

export interface GateVerdict {
  readonly isBetter: boolean;
  /** One sentence for each condition that decided. */
  readonly reasons: readonly string[];
  readonly rules: GateRules;
}

/**
 * Whether a candidate may take the incumbent's place. It must be better overall, in one of two ways:
 *
 * - proved: the 95 % interval of the difference in macro-F1 lies above 0; or
 * - likely and harmless: macro-F1 is higher, and of every label the interval of the difference in F1 lies above
 *   −`labelMargin`.
 *
 * And in both ways no label's F1 may be lower by more than `labelMargin`, and the ECE must be at most
 * `enoughEce` or the incumbent's, because decisions rest on scores; nor may more than `keptMargin` of the faces be
 * taken for no face that the incumbent takes for one. False boxes are judged elsewhere (`evaluate --faceless`).
 */
export function judgeGate(
  {
    faces,
    macroF1,
    labels,
    ece,
    facesKept,
  }: Pick<ModelComparison, 'faces' | 'macroF1' | 'labels' | 'ece' | 'facesKept'>,
  rules: GateRules = GATE_RULES,
): GateVerdict {
  const { labelMargin, keptMargin, enoughEce, fewestFaces } = rules;
  const number = (value: number) => value.toFixed(4);
  if (faces < fewestFaces)
    return { isBetter: false, reasons: [`${faces} faces are too few; ${fewestFaces} are needed`], rules };
  const perLabel = Object.entries(labels);
  const isProved = macroF1.interval.low > 0;
  const isHarmless = perLabel.every(([, { interval }]) => interval.low > -labelMargin);
  const isBetterOverall = isProved || (macroF1.difference > 0 && isHarmless);
  const range = `${number(macroF1.interval.low)} to ${number(macroF1.interval.high)}`;
  const reasons = [
    `macro-F1 ${number(macroF1.incumbent)} → ${number(macroF1.candidate)}, difference ${range}: ${
      isProved
        ? 'better'
        : isBetterOverall
          ? 'likely better, and no label worse'
          : macroF1.difference > 0
            ? 'may be chance, and a label may be worse'
            : 'not better'
    }`,
  ];
  const worse = perLabel.filter(([, { difference }]) => difference < -labelMargin);
  for (const [label, { incumbent, candidate }] of worse)
    reasons.push(`F1 of ${label} falls from ${number(incumbent)} to ${number(candidate)}`);
  const isCalibrated = ece.candidate <= Math.max(enoughEce, ece.incumbent);
  if (!isCalibrated)
    reasons.push(`ECE rises from ${number(ece.incumbent)} to ${number(ece.candidate)}, above ${enoughEce}`);
  const isKeeping = facesKept.candidate >= facesKept.incumbent - keptMargin;
  if (!isKeeping)
    reasons.push(
      `faces taken for faces fall from ${number(facesKept.incumbent)} to ${number(facesKept.candidate)}`,
    );
  return {
    isBetter: isBetterOverall && worse.length === 0 && isCalibrated && isKeeping,
    reasons,
    rules,
  };
}
