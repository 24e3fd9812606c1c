/** What one epoch of training came to: the same for every recipe, for logs, curves and checkpoints. */
export interface EpochFigures {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's batches, as training saw them (with dropout and augmentation). */
  readonly trainingLoss: number;
  /** Share of right answers in training, as seen there; null where it is not counted. */
  readonly trainingAccuracy: number | null;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly validationMacroF1?: number;
  /** At the end of the epoch. */
  readonly learningRate: number;
  readonly seconds: number;
}
