import type { Episode, EpisodeChange, EpisodeCloseReason, ViolationLabel } from '../domain/episode.js';
import type { MaskScores } from '../domain/label.js';
import type { Moment } from './decision-types.js';

/** A rise of the score below this is not worth telling. */
const SCORE_STEP = 0.05;

/**
 * An episode while it is open. Every change counts the version up by one. The times told are the wall clock
 * at the opening plus monotonic time since: a clock that is set back or forth makes no episode end before it
 * began, nor last an hour longer.
 */
export class OpenEpisode {
  #episode: Episode;
  readonly #openedMonotonicMs: number;
  #toldMs: number;
  #toldScore: number;
  /** Since when another label alone has been probable enough to open an episode; `null`: it is not. */
  #otherSinceMs: number | null = null;

  /** `label` and `score` as of now; the change to tell is {@link opened}. */
  constructor(
    begin: Pick<Episode, 'id' | 'cameraId' | 'trackId' | 'label' | 'score'> & {
      readonly zone: string | null;
    },
    moment: Moment,
  ) {
    const { zone, ...rest } = begin;
    this.#episode = {
      ...rest,
      version: 1,
      state: 'open',
      openedAtMs: Math.round(moment.wallMs),
      ...(zone === null ? {} : { zone }),
    };
    this.#openedMonotonicMs = moment.monotonicMs;
    this.#toldMs = moment.monotonicMs;
    this.#toldScore = begin.score;
  }

  get episode(): Episode {
    return this.#episode;
  }

  opened(): EpisodeChange {
    return { change: 'opened', episode: this.#episode };
  }

  /**
   * Takes new accumulated scores. Returns a change when there is something worth telling (another label, a
   * clearly higher score) and the last one was told at least `intervalMs` ago, else `null`.
   *
   * It takes for another label what it takes to open an episode: that label alone at `openThreshold` or above
   * for `dwellMs`. A mask on its way up looks worn wrong for a moment, and must not rename what went before.
   */
  refresh(
    scores: MaskScores,
    labels: readonly ViolationLabel[],
    nowMs: number,
    rules: { readonly intervalMs: number; readonly openThreshold: number; readonly dwellMs: number },
  ): EpisodeChange | null {
    const isDue = nowMs - this.#toldMs >= rules.intervalMs;
    const { label } = this.#episode;
    const leading = leadingViolation(scores, labels);
    if (leading === label || scores[leading] < rules.openThreshold) this.#otherSinceMs = null;
    else this.#otherSinceMs ??= nowMs;
    const isOther = this.#otherSinceMs !== null && nowMs - this.#otherSinceMs >= rules.dwellMs;
    if (isDue && isOther) {
      this.#otherSinceMs = null;
      return this.#tell({ label: leading, score: scores[leading] }, nowMs);
    }
    // The highest score is kept at all times and told when it may be.
    const score = Math.max(this.#episode.score, scores[label]);
    this.#episode = { ...this.#episode, score };
    return isDue && score >= this.#toldScore + SCORE_STEP ? this.#tell({ score }, nowMs) : null;
  }

  /** The same person goes on under another track id. */
  moveTo(trackId: number, nowMs: number): EpisodeChange {
    return this.#tell({ trackId }, nowMs);
  }

  close(closeReason: EpisodeCloseReason, nowMs: number): EpisodeChange {
    const durationMs = Math.max(0, Math.round(nowMs - this.#openedMonotonicMs));
    this.#episode = {
      ...this.#episode,
      version: this.#episode.version + 1,
      state: 'closed',
      closedAtMs: this.#episode.openedAtMs + durationMs,
      closeReason,
    };
    return { change: 'closed', episode: this.#episode };
  }

  #tell(change: Partial<Pick<Episode, 'label' | 'score' | 'trackId'>>, nowMs: number): EpisodeChange {
    this.#episode = { ...this.#episode, ...change, version: this.#episode.version + 1 };
    this.#toldMs = nowMs;
    this.#toldScore = this.#episode.score;
    return { change: 'updated', episode: this.#episode };
  }
}

/** The most probable of the policy's labels; the earlier of the list on a tie. */
export function leadingViolation(scores: MaskScores, labels: readonly ViolationLabel[]): ViolationLabel {
  return labels.reduce((best, label) => (scores[label] > scores[best] ? label : best));
}
