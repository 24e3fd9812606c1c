import type { Episode, EpisodeChange, EpisodeVerdict, SequencedEpisodeChange } from '../domain/episode.js';

/** Result of a verdict: somebody else may have been first. */
export type VerdictResult =
  | { readonly ok: true; readonly change: SequencedEpisodeChange }
  | { readonly ok: false; readonly code: 'EPISODE_NOT_FOUND' }
  | { readonly ok: false; readonly code: 'EPISODE_VERSION_CONFLICT'; readonly current: Episode };

/** An episode that was not closed, and when its last change was stored (wall clock, ms since 1970). */
export type OpenEpisode = Episode & { readonly lastChangeAtMs: number };

/**
 * Keeps episodes and the journal of their changes. A change is stored before it is told to anybody, so that
 * whoever was away can fetch it by its sequence number.
 *
 * It is bounded: old changes go, and with its last change a closed episode.
 *
 * The store owns two things that two writers (the path and the operators) share: an episode's `version`, and
 * its verdict. So what `append` and `setVerdict` return may differ in these from what was given, and that is
 * what counts.
 */
export interface EpisodeStore {
  /**
   * Stores a change and gives it the next sequence number: one more than the last, over all cameras and
   * restarts, also after old rows were pruned. The stored version is one more than the episode's stored one;
   * a verdict that is already stored stays. Resolves when the change is on disk.
   * Throws `AppError` STORE_WRITE_FAILED (`retryable` when trying again may help); then nothing was stored.
   */
  append(change: EpisodeChange): Promise<SequencedEpisodeChange>;
  /**
   * Changes with a sequence above `sequence`, oldest first, of these cameras only (or of all), at most `limit`.
   * The journal is bounded: from before its oldest row nothing comes back.
   * Throws `AppError` STORE_READ_FAILED.
   */
  since(
    sequence: number,
    options: { limit: number; cameraIds?: readonly string[] },
  ): Promise<readonly SequencedEpisodeChange[]>;
  /** The newest sequence number ever given, 0 when nothing was ever stored. */
  lastSequence(): Promise<number>;
  get(id: string): Promise<Episode | null>;
  /** Open episodes, e.g. those that a crash left behind; oldest first. */
  openEpisodes(): Promise<readonly OpenEpisode[]>;
  /** Sets an operator's verdict if `version` is still the episode's. Throws as `append` does. */
  setVerdict(id: string, version: number, verdict: EpisodeVerdict): Promise<VerdictResult>;
  /** Idempotent. */
  close(): Promise<void>;
}
