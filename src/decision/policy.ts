import { DateTime } from 'luxon';
import type { Point } from '../domain/box.js';
import type { ViolationLabel } from '../domain/episode.js';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface PolicyZone {
  readonly id: string;
  /** Corners `[x, y]` as fractions of the frame, in [0, 1]; the last is joined to the first. */
  readonly polygon: readonly (readonly [number, number])[];
  /** true: the policy does not apply to faces here. */
  readonly isExempt: boolean;
}

export interface PolicyPeriod {
  /** Days on which it begins. */
  readonly days: readonly Weekday[];
  /** Local time, HH:MM. */
  readonly from: string;
  /** Local time, HH:MM or 24:00; at or before `from` means on the next day. */
  readonly to: string;
}

/** What counts as a violation at one camera. */
export interface MaskPolicy {
  readonly labels: readonly ViolationLabel[];
  /** Accumulated probability of a violation at which an episode may open, and below which it may close. */
  readonly openThreshold: number;
  readonly closeThreshold: number;
  /** How long the probability must stay at or above `openThreshold`. */
  readonly minDurationMs: number;
  /** How long somebody may go without a mask, and how long an open episode outlives a dip or a hidden face. */
  readonly graceMs: number;
  /** Empty: the whole frame. */
  readonly zones: readonly PolicyZone[];
  /** Empty: always. */
  readonly schedule: readonly PolicyPeriod[];
  /** IANA name. */
  readonly timeZone: string;
}

/**
 * Whether the policy's schedule covers a moment. Periods are local times of day, half open (`from` counts,
 * `to` does not); one that runs past midnight belongs to the day on which it begins. On a day when clocks
 * change, a time of day means what the clock on the wall shows.
 */
export function isScheduled(policy: Pick<MaskPolicy, 'schedule' | 'timeZone'>, wallMs: number): boolean {
  if (policy.schedule.length === 0) return true;
  const local = DateTime.fromMillis(wallMs, { zone: policy.timeZone });
  const minute = local.hour * 60 + local.minute;
  const today = WEEKDAYS[local.weekday - 1]!;
  const yesterday = WEEKDAYS[(local.weekday + 5) % 7]!;
  return policy.schedule.some(({ days, from, to }) => {
    const begin = minutesOf(from);
    const end = minutesOf(to);
    if (begin < end) return days.includes(today) && minute >= begin && minute < end;
    return (days.includes(today) && minute >= begin) || (days.includes(yesterday) && minute < end);
  });
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** Whether the policy applies at a place, and the named zone it lies in. */
export type ZoneMatch =
  | { readonly isCovered: true; readonly zone: string | null }
  | { readonly isCovered: false };

/**
 * The place of a face (centre of its box, as fractions of the frame) in the policy's zones. An exempt zone
 * wins over all others; where zones overlap the first of the list is named; with exempt zones alone the rest
 * of the frame is covered.
 */
export function matchZone(zones: readonly PolicyZone[], place: Point): ZoneMatch {
  let hasCovering = false;
  let zone: string | null = null;
  for (const { id, polygon, isExempt } of zones) {
    hasCovering ||= !isExempt;
    if (!isInPolygon(polygon, place)) continue;
    if (isExempt) return { isCovered: false };
    zone ??= id;
  }
  return hasCovering && zone === null ? { isCovered: false } : { isCovered: true, zone };
}

/** Even–odd rule: a ray to the right crosses the outline an odd number of times (Shimrat 1962). */
export function isInPolygon(polygon: readonly (readonly [number, number])[], { x, y }: Point): boolean {
  let isInside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]!;
    const [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isInside = !isInside;
  }
  return isInside;
}
