/**
 * McNemar's test in its exact form (Q. McNemar, Psychometrika 12, 1947; binomial distribution of the discordant
 * pairs): the two-sided probability that of `a + b` judgements on which two models differ one of them is right so
 * much more often, were both equally good. 1 when they never differ.
 */
export function mcnemarPValue(a: number, b: number): number {
  const total = a + b;
  if (total === 0) return 1;
  const fewer = Math.min(a, b);
  // Terms of the binomial distribution at one half, as logarithms: 2^-n alone underflows from n = 1075 on.
  let logTerm = -total * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= fewer; k++) {
    logTerm += Math.log((total - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}
