import type { FaceCrop } from '../domain/crop.js';
import type { CropAssessment, Decision } from '../domain/face.js';
import { topLabel } from '../domain/label.js';
import type { FaceTrack } from '../domain/track.js';
import { rollDegrees } from './head-pose.js';

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

/** Probability of the leading label at which another look can wait for `recheckMs`. */
const CERTAIN_SCORE = 0.9;
/** So many classifications in a row without certainty, and the wait before the next begins to grow. */
const PATIENT_AFTER = 10;
/** A crop better than all before by this much, of quality in [0, 1], is worth an earlier look. */
const CLEARLY_BETTER = 0.15;
/** …after this share of the wait. */
const EARLIER_SHARE = 0.25;
/**
 * A face that could not be looked at for this long is looked at again at once: it may have changed, or be
 * another, ms.
 */
const RETURN_AFTER_MS = 1000;
/** How much a face that was never classified counts more than one that is just due. */
const NEW_URGENCY = 8;
/** Shortest wait in the measure of urgency, so that a wait of 0 does not count without bounds, ms. */
const MIN_WAIT_MS = 200;

interface TrackRecord {
  /** When it was first a candidate, then when it was last classified, monotonic ms. */
  sinceMs: number;
  /** Never classified, or back after it could not be. */
  isNew: boolean;
  lastOfferedMs: number;
  bestQuality: number;
  uncertainInARow: number;
}

interface Due {
  readonly crop: FaceCrop;
  readonly record: TrackRecord;
  readonly urgency: number;
  readonly isCertain: boolean;
}

/**
 * Chooses which faces of a frame are worth a classification: confirmed tracks that are new, uncertain or due
 * again. So cost follows people and not frames: a decided face costs one classification per `recheckMs`, an
 * undecided one at the most one per frame, and less often when looking again does not help. Holds state per
 * track until `forget`; no timers.
 */
export class CropSelector {
  readonly #options: Required<Omit<CropSelectorOptions, 'onDeferred'>>;
  readonly #onDeferred: (count: number) => void;
  readonly #records = new Map<number, TrackRecord>();

  constructor({ onDeferred, ...options }: CropSelectorOptions) {
    this.#options = { uncertainRecheckMs: 0, ...options };
    this.#onDeferred = onDeferred ?? (() => {});
  }

  /**
   * `candidates` of one frame, `decisions` by track id (DecisionMaker.decisions), `monotonicMs` of the frame.
   * Returns at most `maxCropsPerFrame` crops, most urgent first: by how long each is overdue in terms of its
   * own wait, a better crop before a worse one, so that nobody waits for ever. What is returned counts as
   * classified.
   */
  select(
    candidates: readonly CropCandidate[],
    decisions: ReadonlyMap<number, Decision>,
    monotonicMs: number,
  ): FaceCrop[] {
    const due: Due[] = [];
    for (const { track, assessment } of candidates) {
      if (!assessment.assessable || track.state !== 'confirmed' || track.detection === null) continue;
      const { trackId } = track;
      const record = this.#recordOf(trackId, monotonicMs);
      const isCertain = isDecisionCertain(decisions.get(trackId));
      const waitMs = this.#waitMs(record, isCertain, assessment.quality);
      const elapsedMs = monotonicMs - record.sinceMs;
      if (!record.isNew && elapsedMs < waitMs) continue;
      const lateness = elapsedMs / Math.max(waitMs, MIN_WAIT_MS) + (record.isNew ? NEW_URGENCY : 0);
      due.push({
        crop: {
          trackId,
          box: track.detection.box,
          detectionScore: track.detection.score,
          rollDegrees: rollDegrees(track.detection.landmarks),
          quality: assessment.quality,
          monotonicMs,
        },
        record,
        urgency: lateness * (0.5 + assessment.quality),
        isCertain,
      });
    }
    due.sort((a, b) => b.urgency - a.urgency || a.crop.trackId - b.crop.trackId);
    const chosen = due.slice(0, this.#options.maxCropsPerFrame);
    if (due.length > chosen.length) this.#onDeferred(due.length - chosen.length);
    for (const { crop, record, isCertain } of chosen) {
      record.sinceMs = monotonicMs;
      record.isNew = false;
      record.bestQuality = Math.max(record.bestQuality, crop.quality);
      record.uncertainInARow = isCertain ? 0 : record.uncertainInARow + 1;
    }
    return chosen.map(({ crop }) => crop);
  }

  /** Call it for every track that ended. */
  forget(trackId: number): void {
    this.#records.delete(trackId);
  }

  #recordOf(trackId: number, monotonicMs: number): TrackRecord {
    let record = this.#records.get(trackId);
    if (!record) {
      record = {
        sinceMs: monotonicMs,
        isNew: true,
        lastOfferedMs: monotonicMs,
        bestQuality: 0,
        uncertainInARow: 0,
      };
      this.#records.set(trackId, record);
    }
    if (monotonicMs - record.lastOfferedMs > RETURN_AFTER_MS) {
      record.isNew = true;
      record.bestQuality = 0;
    }
    record.lastOfferedMs = monotonicMs;
    return record;
  }

  #waitMs(record: TrackRecord, isCertain: boolean, quality: number): number {
    const { recheckMs, uncertainRecheckMs } = this.#options;
    if (!isCertain) {
      const impatience = Math.min(1, Math.max(0, record.uncertainInARow / PATIENT_AFTER - 1));
      return uncertainRecheckMs + impatience * Math.max(0, recheckMs - uncertainRecheckMs);
    }
    return quality >= record.bestQuality + CLEARLY_BETTER ? recheckMs * EARLIER_SHARE : recheckMs;
  }
}

function isDecisionCertain(decision: Decision | undefined): boolean {
  if (!decision || decision.outcome === 'not_assessable') return false;
  return decision.scores[topLabel(decision.scores)] >= CERTAIN_SCORE;
}
