import type { EpisodeChange, EpisodeCloseReason } from '../domain/episode.js';
import type { Decision, FaceVerdict } from '../domain/face.js';
import type { FaceTrack } from '../domain/track.js';
import { composeVerdict } from './compose-verdicts.js';
import type { DecisionInput, DecisionMakerOptions, DecisionResult, Moment } from './decision-types.js';
import { successionDistance } from './inheritance.js';
import { leadingViolation, OpenEpisode } from './open-episode.js';
import { isScheduled, type MaskPolicy } from './policy.js';
import { TrackRecord, violationProbability } from './track-record.js';

export type * from './decision-types.js';

/** How much longer than the grace time an episode waits for a face at its place to be judged, ms. */
const SUCCESSION_WAIT_MS = 2000;

/**
 * Turns the scores of one camera into decisions and episodes.
 *
 * An episode opens when the accumulated probability of a violation, of a face that can be judged and to which
 * the policy applies, has been at or above `openThreshold` for `minDurationMs` and first came there `graceMs`
 * ago without having sunk below `closeThreshold` since. It closes: `complied` when the probability has been
 * below `closeThreshold` for `graceMs`; `left` when the face is gone, for `graceMs` of watched time and from
 * the tracker too, or outside the zones for `graceMs`; `policy_ended` with the schedule or a change of
 * policy; `camera_lost` when no frames come; `not_a_face` when the classifier says so (face-evidence.ts). Two predictions at least must agree on opening or complying. A
 * face that cannot be judged does neither. When the tracker loses a face and finds it again under another
 * id, the episode goes on under that id.
 *
 * Holds state; no timers, no clocks.
 */
export class DecisionMaker {
  readonly #options: Required<DecisionMakerOptions>;
  readonly #records = new Map<number, TrackRecord>();
  readonly #decisions = new Map<number, Decision>();
  /** Open episodes by the id of their track, in the order of their opening. */
  readonly #episodes = new Map<number, OpenEpisode>();
  #policy: MaskPolicy;
  #hasNewPolicy = false;
  #lastFrameMs: number | null = null;

  constructor(options: DecisionMakerOptions) {
    this.#options = {
      cameraLostMs: 10_000,
      updateIntervalMs: 5_000,
      staleAfterMs: 5_000,
      evidence: {},
      minFaceScore: 0.5,
      ...options,
    };
    this.#policy = options.policy;
  }

  /** The present decision of each living track that has any evidence. Live: changes with `update`. */
  get decisions(): ReadonlyMap<number, Decision> {
    return this.#decisions;
  }

  get openEpisodeCount(): number {
    return this.#episodes.size;
  }

  /** Takes what one frame brought. Frames must come in the order of `monotonicMs`. */
  update(input: DecisionInput): DecisionResult {
    const changes: EpisodeChange[] = [...this.tick(input)];
    const nowMs = input.monotonicMs;
    this.#observe(input);
    const rejectedCount = this.#judge(input);
    this.#refreshDecisions();

    changes.push(...this.#passOn(nowMs), ...this.#carryOn(nowMs));
    if (isScheduled(this.#policy, input.wallMs)) changes.push(...this.#open(input));
    else for (const record of this.#records.values()) record.countFrom(nowMs);

    for (const [trackId, record] of this.#records)
      if (!record.isAlive && !this.#episodes.has(trackId)) this.#records.delete(trackId);
    return { verdicts: this.#verdicts(input), changes, rejectedCount };
  }

  /**
   * What time alone changes: the schedule's end, a camera without frames, a new policy. Call it about once a
   * second, whether frames come or not.
   */
  tick({ monotonicMs, wallMs }: Moment): readonly EpisodeChange[] {
    const isCameraLost =
      this.#lastFrameMs !== null && monotonicMs - this.#lastFrameMs >= this.#options.cameraLostMs;
    if (isCameraLost) return this.closeAll('camera_lost', { monotonicMs, wallMs });
    const changes: EpisodeChange[] = [];
    const hasNewPolicy = this.#hasNewPolicy;
    this.#hasNewPolicy = false;
    if (hasNewPolicy)
      for (const record of this.#records.values()) record.applyPolicy(this.#policy, monotonicMs);
    const isActive = isScheduled(this.#policy, wallMs);
    for (const [trackId, { episode }] of this.#episodes) {
      const record = this.#records.get(trackId);
      const applies =
        isActive &&
        (!hasNewPolicy || (this.#policy.labels.includes(episode.label) && record?.zone.isCovered === true));
      if (!applies) changes.push(this.#close(trackId, 'policy_ended', monotonicMs));
    }
    return changes;
  }

  /** Closes every open episode and forgets all tracks, e.g. when the camera is taken away or the service stops. */
  closeAll(reason: EpisodeCloseReason, { monotonicMs }: Moment): readonly EpisodeChange[] {
    const changes = [...this.#episodes.keys()].map((trackId) => this.#close(trackId, reason, monotonicMs));
    this.#records.clear();
    this.#decisions.clear();
    this.#lastFrameMs = null;
    return changes;
  }

  /** Takes effect with the next `update` or `tick`: what no longer breaks the policy closes as `policy_ended`. */
  setPolicy(policy: MaskPolicy): void {
    this.#policy = policy;
    this.#hasNewPolicy = true;
  }

  #observe(input: DecisionInput): void {
    const frame = {
      monotonicMs: input.monotonicMs,
      elapsedMs: Math.max(0, input.monotonicMs - (this.#lastFrameMs ?? input.monotonicMs)),
      width: input.frameWidth,
      height: input.frameHeight,
    };
    this.#lastFrameMs = input.monotonicMs;
    const living = new Map(input.tracks.tracks.map((track) => [track.trackId, track]));
    for (const track of living.values()) {
      if (!this.#records.has(track.trackId))
        this.#records.set(
          track.trackId,
          new TrackRecord(track, this.#options.evidence, this.#options.minFaceScore),
        );
    }
    for (const [trackId, record] of this.#records)
      record.observe(living.get(trackId) ?? null, input.assessments.get(trackId), frame, this.#policy);
  }

  /** Takes the predictions; returns how many tracks turned out to show no face. */
  #judge({ predictions }: DecisionInput): number {
    let rejectedCount = 0;
    for (const prediction of [...predictions].sort((a, b) => a.monotonicMs - b.monotonicMs)) {
      const record = this.#records.get(prediction.trackId);
      const wasFace = record?.faceEvidence.isFace;
      record?.judge(prediction, this.#policy);
      if (wasFace && !record?.faceEvidence.isFace) rejectedCount++;
    }
    return rejectedCount;
  }

  #refreshDecisions(): void {
    this.#decisions.clear();
    for (const [trackId, record] of this.#records) {
      const decision = record.isAlive ? record.evidence.decision() : null;
      if (decision) this.#decisions.set(trackId, decision);
    }
  }

  /** Hands the episodes of faces that vanished to the faces that appeared at their places. */
  #passOn(nowMs: number): EpisodeChange[] {
    const changes: EpisodeChange[] = [];
    for (const [trackId, open] of [...this.#episodes]) {
      const heir = this.#successors(trackId).find((record) => this.#isJudgedViolating(record));
      if (!heir) continue;
      this.#episodes.delete(trackId);
      this.#episodes.set(heir.trackId, open);
      changes.push(open.moveTo(heir.trackId, nowMs));
    }
    return changes;
  }

  /** Faces in view that may be the vanished face of an episode under a new id, the nearest first. */
  #successors(trackId: number): TrackRecord[] {
    const older = this.#records.get(trackId);
    if (!older || older.isSeen) return [];
    return [...this.#records.values()]
      .filter((newer) => newer.isSeen && newer.zone.isCovered && !this.#episodes.has(newer.trackId))
      .map((newer) => ({ newer, distance: successionDistance(older, newer) }))
      .filter((entry): entry is { newer: TrackRecord; distance: number } => entry.distance !== null)
      .sort((a, b) => a.distance - b.distance)
      .map(({ newer }) => newer);
  }

  #isJudgedViolating({ trackId, evidence, faceEvidence }: TrackRecord): boolean {
    const decision = this.#decisions.get(trackId);
    return (
      decision !== undefined &&
      faceEvidence.isFace &&
      decision.outcome !== 'not_assessable' &&
      violationProbability(evidence.scores, this.#policy.labels) >= this.#policy.openThreshold
    );
  }

  /** Updates open episodes and closes those that are over. */
  #carryOn(nowMs: number): EpisodeChange[] {
    const changes: EpisodeChange[] = [];
    for (const [trackId, open] of [...this.#episodes]) {
      const record = this.#records.get(trackId)!;
      const reason = this.#endOf(record, nowMs);
      const change = record.isSeen
        ? open.refresh(record.evidence.scores, this.#policy.labels, nowMs, {
            intervalMs: reason ? Number.POSITIVE_INFINITY : this.#options.updateIntervalMs,
            openThreshold: this.#policy.openThreshold,
            dwellMs: Math.max(this.#policy.minDurationMs, this.#policy.graceMs),
          })
        : null;
      if (change) changes.push(change);
      if (reason) changes.push(this.#close(trackId, reason, nowMs));
    }
    return changes;
  }

  #endOf(record: TrackRecord, nowMs: number): EpisodeCloseReason | null {
    if (!record.faceEvidence.isFace) return 'not_a_face';
    if (record.isComplying(this.#policy, nowMs)) return 'complied';
    if (record.isOutside(this.#policy, nowMs)) return 'left';
    if (record.isSeen || record.isAlive || record.unseenMs < this.#policy.graceMs) return null;
    const mayReturn = record.unseenMs < this.#policy.graceMs + SUCCESSION_WAIT_MS;
    const isAwaited =
      mayReturn &&
      this.#successors(record.trackId).some(
        ({ trackId }) => (this.#decisions.get(trackId)?.outcome ?? 'not_assessable') === 'not_assessable',
      );
    return isAwaited ? null : 'left';
  }

  #open(input: DecisionInput): EpisodeChange[] {
    const changes: EpisodeChange[] = [];
    for (const [trackId, record] of this.#records) {
      if (!record.zone.isCovered) record.countFrom(input.monotonicMs);
      if (this.#episodes.has(trackId) || !record.isViolating(this.#policy, input.monotonicMs)) continue;
      const label = leadingViolation(record.evidence.scores, this.#policy.labels);
      const open = new OpenEpisode(
        {
          id: this.#options.newEpisodeId(input.wallMs),
          cameraId: this.#options.cameraId,
          trackId,
          label,
          score: record.evidence.scores[label],
          zone: record.zone.isCovered ? record.zone.zone : null,
        },
        input,
      );
      this.#episodes.set(trackId, open);
      changes.push(open.opened());
    }
    return changes;
  }

  #close(trackId: number, reason: EpisodeCloseReason, nowMs: number): EpisodeChange {
    const open = this.#episodes.get(trackId)!;
    this.#episodes.delete(trackId);
    // To open again takes as long as it did the first time.
    this.#records.get(trackId)?.countFrom(nowMs);
    return open.close(reason, nowMs);
  }

  #verdicts(input: DecisionInput): Map<number, FaceVerdict> {
    const seen = (
      track: FaceTrack,
    ): track is FaceTrack & { detection: NonNullable<FaceTrack['detection']> } => track.detection !== null;
    return new Map(
      input.tracks.tracks
        .filter(seen)
        .filter(({ trackId }) => this.#records.get(trackId)!.faceEvidence.isFace)
        .map((track) => [
          track.trackId,
          composeVerdict(
            track,
            input.assessments.get(track.trackId),
            this.#records.get(track.trackId)!.evidence,
            input.monotonicMs,
            this.#options.staleAfterMs,
          ),
        ]),
    );
  }
}
