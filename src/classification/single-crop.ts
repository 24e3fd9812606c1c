/**
 * A judgement of one crop alone (`detect` on a picture, `evaluate`) whose highest score is below this, so that its label
 * is less likely than the two others together (with two labels that never is), is `low_certainty`. The scores are calibrated and crops in doubt are
 * looked at again; 0.6 lost more right labels than wrong ones (`scripts/sweep-limits.ts`). The service judges tracks: it adds up the scores of their crops and decides at 0.75 of what they
 * say together (`decidedScore` in src/decision/evidence.ts), which one crop alone cannot reach.
 */
export const SINGLE_CROP_MIN_CERTAINTY = 0.5;
