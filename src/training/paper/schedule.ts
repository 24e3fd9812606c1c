/**
 * What Keras does between steps and epochs, as functions without memory: the state goes in and comes out, so that
 * it can stand in a checkpoint.
 */

/** Time-based decay of Keras's older optimisers: rate / (1 + decay · steps so far). */
export function decayedRate(rate: number, decay: number, steps: number): number {
  return rate / (1 + decay * steps);
}

export interface PlateauRules {
  readonly factor: number;
  readonly patienceEpochs: number;
  readonly minRate: number;
  /** A value counts as better only when it is higher by more than this (Keras: 1e-4). */
  readonly minDelta: number;
}
export interface PlateauState {
  /** Highest value so far; null before the first epoch. */
  readonly best: number | null;
  readonly wait: number;
  readonly rate: number;
}

/** ReduceLROnPlateau for a value that should rise. */
export function nextPlateau(state: PlateauState, value: number, rules: PlateauRules): PlateauState {
  if (state.best === null || value > state.best + rules.minDelta)
    return { best: value, wait: 0, rate: state.rate };
  const wait = state.wait + 1;
  if (wait < rules.patienceEpochs) return { ...state, wait };
  if (state.rate <= rules.minRate) return { ...state, wait };
  return { best: state.best, wait: 0, rate: Math.max(state.rate * rules.factor, rules.minRate) };
}

export interface StopState {
  /** Lowest loss so far; null before the first epoch. */
  readonly best: number | null;
  readonly bestEpoch: number;
  readonly wait: number;
}

/** EarlyStopping for a loss: whether this epoch is the best so far, and whether it is the last. */
export function nextStop(
  state: StopState,
  loss: number,
  epoch: number,
  patienceEpochs: number,
): { readonly state: StopState; readonly isBest: boolean; readonly isLast: boolean } {
  if (state.best === null || loss < state.best)
    return { state: { best: loss, bestEpoch: epoch, wait: 0 }, isBest: true, isLast: false };
  const wait = state.wait + 1;
  return { state: { ...state, wait }, isBest: false, isLast: wait >= patienceEpochs };
}
