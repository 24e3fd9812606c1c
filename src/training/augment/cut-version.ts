/**
 * Raised when crops for training come out otherwise than before, by the cutting or by what is done to them, so that caches
 * of crops and of their features are made anew.
 */
export const CUT_VERSION = 2;
