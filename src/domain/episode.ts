import type { MaskLabel } from './label.js';

export type EpisodeState = 'open' | 'closed';
export const EPISODE_CHANGES = ['opened', 'updated', 'closed', 'acknowledged', 'rejected'] as const;
export type EpisodeChangeKind = (typeof EPISODE_CHANGES)[number];
/** `violation`s break the policy of the camera (the label is in its label set). */
export type ViolationLabel = Exclude<MaskLabel, 'with_mask'>;

/** A period in which the decision of one track breaks its camera's policy. */
export interface Episode {
  /** Globally unique, sortable by time. */
  readonly id: string;
  /** Counts up by one with every change of this episode; 1 when opened. Guards concurrent verdicts. */
  readonly version: number;
  readonly cameraId: string;
  readonly trackId: number;
  readonly label: ViolationLabel;
  readonly state: EpisodeState;
  /** Wall clock, ms since 1970. */
  readonly openedAtMs: number;
  readonly closedAtMs?: number;
  /** Why it closed. */
  readonly closeReason?: EpisodeCloseReason;
  /** Highest accumulated probability of `label` so far, in [0, 1]. */
  readonly score: number;
  readonly zone?: string;
  readonly verdict?: EpisodeVerdict;
}

export const EPISODE_CLOSE_REASONS = [
  'complied',
  'left',
  'policy_ended',
  'camera_lost',
  'not_a_face',
  'shutdown',
] as const;
export type EpisodeCloseReason = (typeof EPISODE_CLOSE_REASONS)[number];

export interface EpisodeVerdict {
  readonly kind: 'acknowledged' | 'rejected';
  readonly by: string;
  readonly reason?: string;
  readonly atMs: number;
}

/** One change of one episode, as the decision stage tells it; the store gives it its sequence number. */
export interface EpisodeChange {
  readonly change: EpisodeChangeKind;
  readonly episode: Episode;
}
/** A stored change: `sequence` counts up by one over all cameras and restarts. */
export interface SequencedEpisodeChange extends EpisodeChange {
  readonly sequence: number;
}
