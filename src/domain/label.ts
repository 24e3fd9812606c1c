/** The three labels of the classifier, in the order of its output vector. */
export const MASK_LABELS = ['with_mask', 'without_mask', 'mask_worn_incorrectly'] as const;
export type MaskLabel = (typeof MASK_LABELS)[number];

/** Why a face cannot be judged. Such a face counts neither as a violation nor as compliant. */
export const NOT_ASSESSABLE_REASONS = [
  'too_small',
  'blurred',
  'turned_away',
  'cut_off',
  'low_certainty',
] as const;
export type NotAssessableReason = (typeof NOT_ASSESSABLE_REASONS)[number];

export type Outcome = MaskLabel | 'not_assessable';
export const OUTCOMES = [...MASK_LABELS, 'not_assessable'] as const satisfies readonly Outcome[];

/** Calibrated scores of one crop: each in [0, 1], together 1. */
export type MaskScores = Readonly<Record<MaskLabel, number>>;

/** The label with the highest score; the earlier of {@link MASK_LABELS} on a tie. */
export function topLabel(scores: MaskScores): MaskLabel {
  return MASK_LABELS.reduce((best, label) => (scores[label] > scores[best] ? label : best));
}
