import type { ViolationLabel } from '../domain/episode.js';

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

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
  readonly minDurationMs: number;
  readonly graceMs: number;
  /** Empty: the whole frame. */
  readonly zones: readonly PolicyZone[];
  /** Empty: always. */
  readonly schedule: readonly PolicyPeriod[];
  /** IANA name. */
  readonly timeZone: string;
}
