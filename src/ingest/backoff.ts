export interface BackoffOptions {
  /** Ceiling of the first wait, ms. */
  readonly minMs: number;
  /** Highest ceiling, ms. */
  readonly maxMs: number;
}

/**
 * Exponential back-off with full jitter: a wait drawn evenly from [0, min(max, min · 2^failures)), so that many
 * cameras that went down together do not come back together (M. Brooker, "Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015).
 *
 * @param failures failed attempts in a row before this one, from 0.
 * @param random from [0, 1).
 */
export function fullJitterMs(options: BackoffOptions, failures: number, random: number): number {
  return random * Math.min(options.maxMs, options.minMs * 2 ** Math.min(failures, 52));
}

/**
 * The wait after a failure that trying again cannot mend (a wrong password): always long, so that the camera's
 * lock-out is not provoked, and still spread: from [max/2, max).
 */
export function slowRetryMs(options: BackoffOptions, random: number): number {
  return options.maxMs * (0.5 + random / 2);
}

/** Whoever shortens the other waits must not lock accounts. */
const MIN_DENIED_CEILING_MS = 120_000;

/**
 * The wait after a camera refused user or password. Many cameras lock an account, or an address, after a handful of
 * wrong attempts (five to seven) within half an hour, so this begins where {@link slowRetryMs} ends and grows fourfold
 * each time: from [c/2, c) with c = min(deniedMax, max(4 · max, 2 min) · 4^denials). With the defaults (30 s, 1800 s) that is
 * four attempts in half an hour at most.
 *
 * @param denials refusals in a row before this one, from 0.
 */
export function deniedRetryMs(
  options: BackoffOptions,
  deniedMaxMs: number,
  denials: number,
  random: number,
): number {
  const ceilingMs = Math.min(
    Math.max(deniedMaxMs, options.maxMs),
    Math.max(4 * options.maxMs, MIN_DENIED_CEILING_MS) * 4 ** Math.min(denials, 26),
  );
  return ceilingMs * (0.5 + random / 2);
}
