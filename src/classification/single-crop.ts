/**
 * A judgement of one crop alone (`detect` on a picture, `evaluate`) whose highest score is below this is
 * `low_certainty`. The service judges tracks: it adds up the scores of their crops and decides at 0.75 of what they
 * say together (`decidedScore` in src/decision/evidence.ts), which one crop alone cannot reach.
 */
export const SINGLE_CROP_MIN_CERTAINTY = 0.6;
