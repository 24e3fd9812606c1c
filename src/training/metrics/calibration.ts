/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean score of the judged label in this bin. */
  readonly meanScore: number;
  /** Share that was right. */
  readonly accuracy: number;
}

/** The highest score of a judgement and whether it was right. */
export interface ScoredJudgement {
  readonly score: number;
  readonly isRight: boolean;
}

/** Judgements by their score in bins of equal width over [0, 1]. */
export function reliabilityBins(judgements: readonly ScoredJudgement[], binCount = 15): ReliabilityBin[] {
  const bins = Array.from({ length: binCount }, () => ({ count: 0, score: 0, right: 0 }));
  for (const { score, isRight } of judgements) {
    const bin = bins[Math.min(binCount - 1, Math.floor(score * binCount))]!;
    bin.count++;
    bin.score += score;
    if (isRight) bin.right++;
  }
  return bins.map(({ count, score, right }, i) => ({
    from: i / binCount,
    to: (i + 1) / binCount,
    count,
    meanScore: count === 0 ? 0 : score / count,
    accuracy: count === 0 ? 0 : right / count,
  }));
}

/** Expected calibration error: mean distance of score and accuracy over the bins (Guo et al., 2017, equation 3). */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return 0;
  return bins.reduce((sum, bin) => sum + (bin.count / total) * Math.abs(bin.accuracy - bin.meanScore), 0);
}

/** Softmax of `logits / temperature`. */
export function softmax(logits: readonly number[] | Float32Array, temperature = 1): number[] {
  const scaled = Array.from(logits, (logit) => logit / temperature);
  const highest = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** What brings logits to calibrated scores: softmax(logits / temperature + bias). */
export interface Calibration {
  readonly temperature: number;
  readonly bias: readonly number[];
}

const ROUNDS = 8;

/**
 * The calibration that makes the labels of these samples most likely: a temperature (Guo et al., 2017, section
 * 4.2) and one bias a label, which undoes the weights and the copies by which training changed how often the
 * labels occur. Found by golden section, one parameter after the other. The biases add up to 0.
 *
 * `weights`: one per sample, default 1; with {@link shareWeights} the scores are calibrated for a place where
 * labels occur in other shares than among the samples.
 */
export function fitCalibration(
  logits: readonly (readonly number[])[],
  labelled: readonly number[],
  weights?: readonly number[],
): Calibration {
  const labelCount = logits[0]?.length ?? 0;
  const parameters = [0, ...new Array<number>(labelCount).fill(0)];
  const lossAt = (index: number, value: number) => {
    const tried = parameters.with(index, value);
    return meanLogLoss(logits, labelled, { temperature: Math.exp(tried[0]!), bias: tried.slice(1) }, weights);
  };
  for (let round = 0; round < ROUNDS; round++)
    for (let index = 0; index < parameters.length; index++) {
      const reach = index === 0 ? Math.log(8) : 4;
      parameters[index] = goldenSection((value) => lossAt(index, value), -reach, reach);
    }
  const [logTemperature, ...bias] = parameters;
  const mean = bias.reduce((a, b) => a + b, 0) / labelCount;
  return { temperature: Math.exp(logTemperature!), bias: bias.map((value) => value - mean) };
}

/** The temperature alone that makes the labels of these samples most likely (Guo et al., 2017, section 4.2). */
export function fitTemperature(logits: readonly (readonly number[])[], labelled: readonly number[]): number {
  const bias = new Array<number>(logits[0]?.length ?? 0).fill(0);
  const reach = Math.log(8);
  const lossAt = (value: number) => meanLogLoss(logits, labelled, { temperature: Math.exp(value), bias });
  return Math.exp(goldenSection(lossAt, -reach, reach));
}

/** Weights of samples (labels as indices into `shares`) under which the labels have these shares. */
export function shareWeights(labelled: readonly number[], shares: readonly number[]): number[] {
  const counts = shares.map((_, label) => labelled.filter((other) => other === label).length);
  return labelled.map((label) => (shares[label]! * labelled.length) / counts[label]!);
}

/** Calibrated scores of one sample. */
export function calibratedScores(logits: readonly number[], { temperature, bias }: Calibration): number[] {
  return softmax(logits.map((logit, i) => logit / temperature + bias[i]!));
}

/** Mean negative logarithm of the calibrated score of the right label. */
export function meanLogLoss(
  logits: readonly (readonly number[])[],
  labelled: readonly number[],
  calibration: Calibration,
  weights?: readonly number[],
): number {
  const { temperature, bias } = calibration;
  let total = 0;
  let weightSum = 0;
  for (let i = 0; i < logits.length; i++) {
    // log(sum of exp) about the highest; without arrays, as this runs some thousand times over all samples.
    const row = logits[i]!;
    let highest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < row.length; k++) highest = Math.max(highest, row[k]! / temperature + bias[k]!);
    let sum = 0;
    for (let k = 0; k < row.length; k++) sum += Math.exp(row[k]! / temperature + bias[k]! - highest);
    const right = labelled[i]!;
    const weight = weights?.[i] ?? 1;
    total += weight * (highest + Math.log(sum) - (row[right]! / temperature + bias[right]!));
    weightSum += weight;
  }
  return total / Math.max(1e-12, weightSum);
}

/** Where a function with one valley between `low` and `high` is lowest, to within 1e-3. */
function goldenSection(of: (value: number) => number, low: number, high: number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [from, to] = [low, high];
  let [a, b] = [to - golden * (to - from), from + golden * (to - from)];
  let [valueA, valueB] = [of(a), of(b)];
  while (to - from > 1e-3) {
    if (valueA < valueB) {
      [to, b, valueB] = [b, a, valueA];
      a = to - golden * (to - from);
      valueA = of(a);
    } else {
      [from, a, valueA] = [a, b, valueB];
      b = from + golden * (to - from);
      valueB = of(b);
    }
  }
  return (from + to) / 2;
}
