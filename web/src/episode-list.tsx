import { useState } from 'preact/hooks';
import type { EpisodePayload } from '../../src/publish/events';
import { acknowledge, cameras, episodes, pendingEpisodeCount, reject } from './connection';
import { CLOSE_WORDS, clockWords, durationWords, VIOLATION_WORDS } from './words';

/** `isStale`: the service is not heard of, so nothing can be sent to it. */
export function EpisodeList({ now, isStale }: { now: number; isStale: boolean }) {
  const list = episodes.value;
  const open = list.filter((episode) => !episode.closedAt);
  return (
    <section class="episodes" aria-label="Episodes">
      <h2>
        Episodes{' '}
        <span class={`count ${pendingEpisodeCount.value > 0 ? 'count-open' : ''}`}>{open.length} open</span>
      </h2>
      <p class="visually-hidden" role="status" aria-live="polite">
        {open.length} open {open.length === 1 ? 'episode' : 'episodes'}
      </p>
      {list.length === 0 && <p class="empty">Nothing yet. Episodes appear here as they open.</p>}
      <ol>
        {list.map((episode) => (
          <EpisodeRow key={episode.id} episode={episode} now={now} isStale={isStale} />
        ))}
      </ol>
    </section>
  );
}

function EpisodeRow({ episode, now, isStale }: { episode: EpisodePayload; now: number; isStale: boolean }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const name = cameras.value.find((camera) => camera.cameraId === episode.cameraId)?.name ?? episode.cameraId;
  const end = episode.closedAt ? Date.parse(episode.closedAt) : now;
  const send = async (action: () => Promise<string | null>) => {
    setIsBusy(true);
    setProblem(await action());
    setIsBusy(false);
  };
  const verdictButtons = (
    <div class="actions">
      <button
        type="button"
        disabled={isBusy || isStale}
        onClick={() => void send(() => acknowledge(episode))}
      >
        Acknowledge
      </button>
      <button
        type="button"
        class="quiet"
        disabled={isBusy || isStale}
        onClick={() => void send(() => reject(episode, 'false alarm'))}
      >
        False alarm
      </button>
    </div>
  );
  return (
    <li class={`episode label-${episode.label} ${episode.closedAt ? 'is-closed' : 'is-open'}`}>
      <div class="line">
        <strong>{VIOLATION_WORDS[episode.label]}</strong>
        <time dateTime={episode.openedAt}>{clockWords(episode.openedAt)}</time>
      </div>
      <div class="line detail">
        <span class="where" title={name}>
          {name}
          {episode.zone ? ` · ${episode.zone}` : ''}
        </span>
        <span title={`Highest score so far: ${Math.round(episode.score * 100)} of 100`}>
          {durationWords(end - Date.parse(episode.openedAt))}
          {episode.closedAt ? '' : ', open'}
        </span>
      </div>
      {(episode.closedAt || episode.verdict) && (
        <div class="line detail ending">
          <span>{endingWords(episode)}</span>
          {!episode.verdict && verdictButtons}
        </div>
      )}
      {!episode.closedAt && !episode.verdict && verdictButtons}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </li>
  );
}

/** How it ended and what people said of it, e.g. `mask put on · acknowledged by jo`. */
function endingWords(episode: EpisodePayload): string {
  const parts: string[] = [];
  if (episode.closedAt) parts.push(episode.closeReason ? CLOSE_WORDS[episode.closeReason] : 'closed');
  if (episode.verdict) {
    const by = episode.by && episode.by !== 'anonymous' ? ` by ${episode.by}` : '';
    const verdict = episode.verdict === 'acknowledged' ? 'Acknowledged' : 'Rejected';
    parts.push(`${verdict}${by}${episode.reason ? `: ${episode.reason}` : ''}`);
  }
  return parts.join(' · ');
}
