import { BLINDING_CONDITIONS } from '../domain/camera.js';
import type { Episode, EpisodeChangeKind } from '../domain/episode.js';
import type { FaceVerdict } from '../domain/face.js';
import { fourDecimals, tenth } from '../lib/rounding.js';
import type { CameraEvent, DetectionsEvent, EpisodeEvent, PictureEvent } from './event-bus.js';
import {
  type CameraPayload,
  type DetectionsPayload,
  type EpisodePayload,
  type FacePayload,
  PAYLOAD_VERSION,
  type PicturePayload,
} from './events.js';

/*
 * From our own words to the wire (CONTRACTS.md). Pure. Numbers are rounded where more digits would only cost
 * bytes: boxes to a tenth of a pixel, scores to four decimals.
 */

const isoTime = (ms: number) => new Date(ms).toISOString();

type Scores = FaceVerdict['scores'];
function roundScores(scores: Scores): Scores {
  return {
    with_mask: fourDecimals(scores.with_mask),
    without_mask: fourDecimals(scores.without_mask),
    mask_worn_incorrectly: fourDecimals(scores.mask_worn_incorrectly),
  };
}

export function toFacePayload(face: FaceVerdict): FacePayload {
  const { x, y, width, height } = face.box;
  const payload: FacePayload = {
    trackId: face.trackId,
    box: { x: tenth(x), y: tenth(y), width: tenth(width), height: tenth(height) },
    detectionScore: fourDecimals(face.detectionScore),
    outcome: face.outcome,
    scores: roundScores(face.scores),
  };
  if (face.reason !== undefined) payload.reason = face.reason;
  if (face.decision !== undefined) {
    payload.decision = {
      outcome: face.decision.outcome,
      ...(face.decision.reason === undefined ? {} : { reason: face.decision.reason }),
      scores: roundScores(face.decision.scores),
      evidenceCount: face.decision.evidenceCount,
    };
  }
  return payload;
}

export function toDetectionsPayload(event: DetectionsEvent): DetectionsPayload {
  return {
    v: PAYLOAD_VERSION,
    cameraId: event.cameraId,
    frameId: event.frameId,
    capturedAt: isoTime(event.capturedAtMs),
    width: event.sourceWidth,
    height: event.sourceHeight,
    faces: event.faces.map(toFacePayload),
  };
}

export function toPicturePayload(event: PictureEvent): PicturePayload {
  return {
    v: PAYLOAD_VERSION,
    cameraId: event.cameraId,
    frameId: event.frameId,
    capturedAt: isoTime(event.capturedAtMs),
    jpeg: event.jpeg,
  };
}

export function toEpisodePayload(event: EpisodeEvent): EpisodePayload {
  const { sequence, change, episode } = event.change;
  const payload = episodePayload(sequence, change, episode);
  if (event.kind === 'provisional') payload.isProvisional = true;
  return payload;
}

export function episodePayload(
  sequence: number,
  change: EpisodeChangeKind,
  episode: Episode,
): EpisodePayload {
  const payload: EpisodePayload = {
    v: PAYLOAD_VERSION,
    sequence,
    id: episode.id,
    version: episode.version,
    change,
    cameraId: episode.cameraId,
    trackId: episode.trackId,
    label: episode.label,
    openedAt: isoTime(episode.openedAtMs),
    score: fourDecimals(episode.score),
  };
  if (episode.closedAtMs !== undefined) payload.closedAt = isoTime(episode.closedAtMs);
  if (episode.closeReason !== undefined) payload.closeReason = episode.closeReason;
  if (episode.zone !== undefined) payload.zone = episode.zone;
  if (episode.verdict !== undefined) {
    payload.verdict = episode.verdict.kind;
    payload.by = episode.verdict.by;
    if (episode.verdict.reason !== undefined) payload.reason = episode.verdict.reason;
  }
  return payload;
}

export function toCameraPayload({ name, status }: CameraEvent): CameraPayload {
  const conditions = status.conditions ?? [];
  const isBlind = conditions.some(({ condition }) => BLINDING_CONDITIONS.has(condition));
  return {
    v: PAYLOAD_VERSION,
    cameraId: status.cameraId,
    name,
    state: status.state,
    reason: status.reason,
    ...(status.message === undefined ? {} : { message: status.message }),
    since: isoTime(status.sinceMs),
    lastFrameAgeMs: status.lastFrameAgeMs === null ? null : Math.round(status.lastFrameAgeMs),
    restarts: status.restarts,
    ...(status.stream === undefined ? {} : { stream: status.stream }),
    ...(status.timing === undefined ? {} : { timing: status.timing }),
    conditions: conditions.map(({ condition, sinceMs }) => ({ condition, since: isoTime(sinceMs) })),
    ...(isBlind ? { isBlind } : {}),
  };
}
