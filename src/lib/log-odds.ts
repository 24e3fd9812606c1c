/** Log odds of a probability; 0 and 1 count as a millionth away, so that the result is finite. */
export function logOdds(probability: number): number {
  const limited = Math.min(1 - 1e-6, Math.max(1e-6, probability));
  return Math.log(limited / (1 - limited));
}

/** The probability with these log odds. */
export function fromLogOdds(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
