import { boxCentre, type Point } from '../domain/box.js';
import type { TrackRecord } from './track-record.js';

/** How far from its old place a face may appear again under a new id, face sizes, and more per second hidden. */
const REACH_SIZES = 2.5;
const REACH_SIZES_PER_SECOND = 4;
const MAX_REACH_SIZES = 10;
const MAX_SIZE_RATIO = 1.8;

/**
 * Whether `newer` may be the face of `older` under a new track id: it began after the older was last seen, at
 * the same place (or where the older was heading), at about the same size. Returns the distance in face
 * sizes, or `null`. The tracker's own reach is smaller: what it gives up, an episode may still cling to,
 * because an episode that ends and starts again is worse than one that goes on with a stranger.
 */
export function successionDistance(older: TrackRecord, newer: TrackRecord): number | null {
  if (newer.trackId === older.trackId || newer.firstSeenMs <= older.lastSeenMs) return null;
  const olderSize = Math.sqrt(older.lastBox.width * older.lastBox.height);
  const newerSize = Math.sqrt(newer.firstBox.width * newer.firstBox.height);
  if (!(olderSize > 0) || Math.max(olderSize / newerSize, newerSize / olderSize) > MAX_SIZE_RATIO)
    return null;
  const centre = boxCentre(newer.firstBox);
  const distance =
    Math.min(
      distanceBetween(centre, boxCentre(older.lastBox)),
      distanceBetween(centre, boxCentre(older.expectedBox)),
    ) / olderSize;
  const hiddenSeconds = (newer.firstSeenMs - older.lastSeenMs) / 1000;
  const reach = Math.min(MAX_REACH_SIZES, REACH_SIZES + REACH_SIZES_PER_SECOND * hiddenSeconds);
  return distance <= reach ? distance : null;
}

function distanceBetween(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
