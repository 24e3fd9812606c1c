import type { EpisodePayload } from '../../src/publish/events';

/** The newest state of each episode that the page knows; the oldest closed ones are let go above `capacity`. */
export class EpisodeBook {
  readonly #capacity: number;
  readonly #byId = new Map<string, EpisodePayload>();
  #lastSequence: number | null = null;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Highest sequence seen; `null` before the first. */
  get lastSequence(): number | null {
    return this.#lastSequence;
  }

  /** Forgets everything: the service has another journal. */
  clear(): void {
    this.#byId.clear();
    this.#lastSequence = null;
  }

  /** Takes a change; false when it is older than what is known. Changes may come twice and out of order. */
  add(payload: EpisodePayload): boolean {
    this.#lastSequence = Math.max(this.#lastSequence ?? 0, payload.sequence);
    const known = this.#byId.get(payload.id);
    if (known && known.version >= payload.version) return false;
    this.#byId.set(payload.id, payload);
    if (this.#byId.size > this.#capacity) {
      const oldest = this.list().findLast((episode) => episode.closedAt !== undefined);
      if (oldest) this.#byId.delete(oldest.id);
    }
    return true;
  }

  /** Open ones first, of these who wears none before who wears it wrong; then newest first. */
  list(): EpisodePayload[] {
    return [...this.#byId.values()].sort(
      (a, b) =>
        Number(a.closedAt !== undefined) - Number(b.closedAt !== undefined) ||
        urgency(b) - urgency(a) ||
        b.openedAt.localeCompare(a.openedAt) ||
        b.sequence - a.sequence,
    );
  }
}

function urgency(episode: EpisodePayload): number {
  return episode.closedAt === undefined && episode.label === 'without_mask' ? 1 : 0;
}
