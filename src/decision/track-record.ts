import { type Box, boxCentre, type Point } from '../domain/box.js';
import type { ViolationLabel } from '../domain/episode.js';
import type { CropAssessment, MaskPrediction } from '../domain/face.js';
import type { MaskScores } from '../domain/label.js';
import type { FaceTrack } from '../domain/track.js';
import { Evidence, type EvidenceOptions } from './evidence.js';
import { FaceEvidence } from './face-evidence.js';
import { type MaskPolicy, matchZone, type ZoneMatch } from './policy.js';

/** Nobody was watched for longer than this between two frames, however long the camera was silent, ms. */
const MAX_WATCHED_GAP_MS = 1000;
/** A face hidden for longer than this may have been taken for another: it is judged anew before it counts. */
const MAX_TRUSTED_GAP_MS = 1000;
/** Predictions that must agree: one bad frame neither opens nor closes. */
const MIN_AGREEING = 2;

/** Everything that the decision stage remembers of one track. */
export class TrackRecord {
  readonly trackId: number;
  readonly firstSeenMs: number;
  readonly firstBox: Box;
  readonly evidence: Evidence;
  readonly faceEvidence: FaceEvidence;
  /** Whether the tracker still has it. */
  isAlive = true;
  /** Whether its face was found in the newest frame, and could be judged there. */
  isSeen = true;
  isAssessable = false;
  lastSeenMs: number;
  /** Where it was last seen, and where it should be now, pixels. */
  lastBox: Box;
  expectedBox: Box;
  /** Watched time since it was last seen, ms: time in which frames came and the face was not on them. */
  unseenMs = 0;
  zone: ZoneMatch = { isCovered: false };
  #place: Point = { x: 0, y: 0 };
  #seenSinceMs: number;
  #suspectSinceMs: number | null = null;
  #aboveSinceMs: number | null = null;
  #aboveCount = 0;
  #belowSinceMs: number | null = null;
  #belowCount = 0;
  #outsideSinceMs: number | null = null;
  /** Nothing before this counts towards opening: the policy did not apply. */
  #countsFromMs = Number.NEGATIVE_INFINITY;

  constructor(track: FaceTrack, options: EvidenceOptions, minFaceScore: number) {
    this.trackId = track.trackId;
    this.firstSeenMs = track.firstSeenMs;
    this.firstBox = track.detection?.box ?? track.box;
    this.evidence = new Evidence(options);
    this.faceEvidence = new FaceEvidence(minFaceScore);
    this.lastBox = this.firstBox;
    this.expectedBox = this.firstBox;
    this.lastSeenMs = track.lastSeenMs;
    this.#seenSinceMs = track.firstSeenMs;
  }

  /** Takes one frame's news of the track; `track` is `null` once the tracker has ended it. */
  observe(
    track: FaceTrack | null,
    assessment: CropAssessment | undefined,
    frame: { monotonicMs: number; elapsedMs: number; width: number; height: number },
    policy: MaskPolicy,
  ): void {
    this.isAlive = track !== null;
    this.isSeen = track?.detection != null;
    this.isAssessable = this.isSeen && assessment?.assessable === true;
    if (track) this.expectedBox = track.box;
    if (track?.detection) {
      if (frame.monotonicMs - this.lastSeenMs > MAX_TRUSTED_GAP_MS) this.#seenSinceMs = frame.monotonicMs;
      this.lastSeenMs = frame.monotonicMs;
      this.lastBox = track.detection.box;
      this.unseenMs = 0;
      const centre = boxCentre(this.lastBox);
      this.#place = { x: centre.x / frame.width, y: centre.y / frame.height };
      this.zone = matchZone(policy.zones, this.#place);
      if (this.zone.isCovered) this.#outsideSinceMs = null;
      else this.#outsideSinceMs ??= frame.monotonicMs;
    } else {
      this.unseenMs += Math.min(frame.elapsedMs, MAX_WATCHED_GAP_MS);
    }
  }

  /** Adds a prediction to the evidence and notes since when it speaks for or against a violation. */
  judge(prediction: MaskPrediction, policy: MaskPolicy): void {
    if (!this.evidence.add(prediction)) return;
    this.faceEvidence.add(prediction.faceScore);
    const probability = violationProbability(this.evidence.scores, policy.labels);
    const atMs = prediction.monotonicMs;
    if (probability >= policy.openThreshold) {
      this.#suspectSinceMs ??= atMs;
      this.#aboveSinceMs ??= atMs;
      this.#aboveCount++;
    } else {
      this.#aboveSinceMs = null;
      this.#aboveCount = 0;
    }
    if (probability < policy.closeThreshold) {
      this.#suspectSinceMs = null;
      this.#belowSinceMs ??= atMs;
      this.#belowCount++;
    } else {
      this.#belowSinceMs = null;
      this.#belowCount = 0;
    }
  }

  /** Durations towards opening begin anew, because until now the policy did not apply. What is known stays. */
  countFrom(nowMs: number): void {
    this.#countsFromMs = nowMs;
  }

  /** Sees place and evidence in the light of another policy; durations begin anew. */
  applyPolicy(policy: MaskPolicy, nowMs: number): void {
    this.zone = matchZone(policy.zones, this.#place);
    const probability = violationProbability(this.evidence.scores, policy.labels);
    const isAbove = this.evidence.count > 0 && probability >= policy.openThreshold;
    const isBelow = this.evidence.count > 0 && probability < policy.closeThreshold;
    this.#aboveSinceMs = isAbove ? nowMs : null;
    this.#suspectSinceMs = isAbove ? nowMs : null;
    this.#aboveCount = isAbove ? this.evidence.count : 0;
    this.#belowSinceMs = isBelow ? nowMs : null;
    this.#belowCount = isBelow ? this.evidence.count : 0;
  }

  /** Whether an episode may open now. */
  isViolating(policy: MaskPolicy, nowMs: number): boolean {
    return (
      this.isAssessable &&
      this.faceEvidence.isFace &&
      this.zone.isCovered &&
      this.evidence.lastMs >= this.#seenSinceMs &&
      this.#aboveCount >= MIN_AGREEING &&
      hasLasted(this.#aboveSinceMs, nowMs, policy.minDurationMs) &&
      hasLasted(this.#suspectSinceMs, nowMs, policy.graceMs) &&
      nowMs - this.#countsFromMs >= Math.max(policy.minDurationMs, policy.graceMs)
    );
  }

  /** Whether an open episode may close because the person complies. */
  isComplying(policy: MaskPolicy, nowMs: number): boolean {
    return (
      this.isAssessable &&
      this.#belowCount >= MIN_AGREEING &&
      hasLasted(this.#belowSinceMs, nowMs, policy.graceMs)
    );
  }

  /** Whether the face has been outside the policy's zones for longer than the grace time. */
  isOutside(policy: MaskPolicy, nowMs: number): boolean {
    return this.isSeen && hasLasted(this.#outsideSinceMs, nowMs, policy.graceMs);
  }
}

function hasLasted(sinceMs: number | null, nowMs: number, durationMs: number): boolean {
  return sinceMs !== null && nowMs - sinceMs >= durationMs;
}

/** Probability that a label of the policy's set is true, in [0, 1]. */
export function violationProbability(scores: MaskScores, labels: readonly ViolationLabel[]): number {
  return labels.reduce((sum, label) => sum + scores[label], 0);
}
