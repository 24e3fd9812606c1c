import type { Episode, EpisodeChange, EpisodeVerdict, SequencedEpisodeChange } from '../domain/episode.js';

/** Result of a verdict: somebody else may have been first. */
export type VerdictResult =
  | { readonly ok: true; readonly change: SequencedEpisodeChange }
  | { readonly ok: false; readonly code: 'EPISODE_NOT_FOUND' }
  | { readonly ok: false; readonly code: 'EPISODE_VERSION_CONFLICT'; readonly current: Episode };

/**
 * Keeps episodes and the journal of their changes. A change is stored before it is told to anybody, so that
 * whoever was away can fetch it by its sequence number.
 */
export interface EpisodeStore {
  /** Stores a change and gives it the next sequence number. Throws `AppError` STORE_WRITE_FAILED (retryable). */
  append(change: EpisodeChange): Promise<SequencedEpisodeChange>;
  /** Changes with a sequence above `sequence`, oldest first, of these cameras only (or of all). */
  since(
    sequence: number,
    options: { limit: number; cameraIds?: readonly string[] },
  ): Promise<readonly SequencedEpisodeChange[]>;
  /** The newest sequence number, 0 when nothing was ever stored. */
  lastSequence(): Promise<number>;
  get(id: string): Promise<Episode | null>;
  /** Open episodes, e.g. those that a crash left behind. */
  openEpisodes(): Promise<readonly Episode[]>;
  /** Sets an operator's verdict if `version` is still the episode's. */
  setVerdict(id: string, version: number, verdict: EpisodeVerdict): Promise<VerdictResult>;
  close(): Promise<void>;
}
