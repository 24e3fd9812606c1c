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

/**
 * The temperature that makes the scores of these logits most likely (Guo et al., 2017, section 4.2), by golden
 * section over its logarithm between 1/8 and 8.
 */
export function fitTemperature(
  logits: readonly (readonly number[])[],
  labelled: readonly number[],
  weights: readonly number[] = labelled.map(() => 1),
): number {
  const loss = (logTemperature: number) => {
    const temperature = Math.exp(logTemperature);
    return logits.reduce(
      (sum, row, i) =>
        sum - weights[i]! * Math.log(Math.max(softmax(row, temperature)[labelled[i]!]!, 1e-12)),
      0,
    );
  };
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(1 / 8), Math.log(8)];
  let [a, b] = [high - golden * (high - low), low + golden * (high - low)];
  let [lossA, lossB] = [loss(a), loss(b)];
  while (high - low > 1e-4) {
    if (lossA < lossB) {
      [high, b, lossB] = [b, a, lossA];
      a = high - golden * (high - low);
      lossA = loss(a);
    } else {
      [low, a, lossA] = [a, b, lossB];
      b = low + golden * (high - low);
      lossB = loss(b);
    }
  }
  return Math.exp((low + high) / 2);
}
