import type { FaceCrop } from '../domain/crop.js';
import type { CropAssessment, Decision } from '../domain/face.js';
import type { FaceTrack } from '../domain/track.js';

export interface CropCandidate {
  readonly track: FaceTrack;
  readonly assessment: CropAssessment;
}

export interface CropSelectorOptions {
  /** A decided track is classified again after this time, ms. */
  readonly recheckMs: number;
  /** An undecided track is classified again after this time, ms. Default 0: in every frame. */
  readonly uncertainRecheckMs?: number;
  /** Most crops of one frame. */
  readonly maxCropsPerFrame: number;
  /** Told how many due crops of a frame were put off because of `maxCropsPerFrame`. */
  readonly onDeferred?: (count: number) => void;
}

/** Chooses which faces of a frame are worth a classification, so that cost follows people and not frames. */
export class CropSelector {
  constructor(readonly options: CropSelectorOptions) {}

  /** `decisions` by track id, as {@link DecisionMaker.decisions} holds them. Most urgent first. */
  select(
    _candidates: readonly CropCandidate[],
    _decisions: ReadonlyMap<number, Decision>,
    _monotonicMs: number,
  ): FaceCrop[] {
    return [];
  }

  forget(_trackId: number): void {}
}
