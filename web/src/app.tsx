import { useEffect, useState } from 'preact/hooks';
import { CameraTile } from './camera-tile';
import {
  cameras,
  connect,
  connectionState,
  lastMessageAt,
  pendingEpisodeCount,
  stats,
  tokenProblem,
  useToken,
} from './connection';
import { EpisodeList } from './episode-list';

/** The service sends `stats` each second; silence for this long is told, even if the socket believes it lives. */
const SILENCE_MS = 5000;

export function App() {
  const [now, setNow] = useState(Date.now());
  const [quietMs, setQuietMs] = useState(0);

  useEffect(() => {
    connect();
    const timer = setInterval(() => {
      setNow(Date.now());
      setQuietMs(performance.now() - lastMessageAt.value);
    }, 1000);
    return () => clearInterval(timer);
  }, []);

  const pending = pendingEpisodeCount.value;
  useEffect(() => {
    document.title = pending > 0 ? `(${pending}) Maskwatch` : 'Maskwatch';
  }, [pending]);

  const state = connectionState.value;
  const isSilent = state === 'connected' && quietMs > SILENCE_MS;
  const isStale = state === 'lost' || isSilent;
  if (state === 'token_needed') return <TokenForm />;
  return (
    <>
      <TopBar isStale={isStale} />
      {isStale && (
        <p class="banner" role="alert">
          <strong>Not connected to Maskwatch.</strong> What is shown is old; nothing new arrives. Trying again
          …
        </p>
      )}
      <main class={isStale ? 'is-stale' : ''}>
        <section class="wall" aria-label="Cameras" style={wallShape(cameras.value.length)}>
          {cameras.value.map((camera) => (
            <CameraTile key={camera.cameraId} camera={camera} now={now} isStale={isStale} />
          ))}
          {cameras.value.length === 0 && (
            <p class="empty">{state === 'connected' ? 'No cameras are configured.' : 'Connecting …'}</p>
          )}
        </section>
        <EpisodeList now={now} isStale={isStale} />
      </main>
    </>
  );
}

/** Columns and rows of the wall: as square as can be, so that as many pictures as possible are seen at once. */
function wallShape(count: number): { '--columns': number; '--rows': number } {
  const columns = Math.min(4, Math.max(1, Math.ceil(Math.sqrt(count))));
  return { '--columns': columns, '--rows': Math.max(1, Math.ceil(count / columns)) };
}

function TopBar({ isStale }: { isStale: boolean }) {
  const current = isStale ? null : stats.value;
  const watched = cameras.value.filter((camera) => camera.state !== 'disabled');
  const total = watched.length;
  const live = isStale ? null : watched.filter((camera) => camera.state === 'live').length;
  const blind = isStale ? 0 : watched.filter((camera) => camera.state === 'live' && camera.isBlind).length;
  return (
    <header class="top">
      <h1>
        <img src="./icon.svg" alt="" width="24" height="24" /> Maskwatch
      </h1>
      <dl>
        <div class={live === null || live < total ? 'warn' : ''}>
          <dt>Cameras live</dt>
          <dd>{live === null ? 'unknown' : `${live} of ${total}`}</dd>
        </div>
        {blind > 0 && (
          <div class="warn" title="Their pictures are frozen, black, overexposed, covered or broken">
            <dt>See nothing</dt>
            <dd>{blind}</dd>
          </div>
        )}
        {current && (
          <>
            <div>
              <dt>Analysed</dt>
              <dd>{current.analysedFps.toFixed(0)} fps</dd>
            </div>
            <div title="From the frame leaving ffmpeg to its boxes being sent: median, and 95 of 100">
              <dt>Delay</dt>
              <dd>
                {current.latencyMs
                  ? `${current.latencyMs.p50.toFixed(0)} / ${current.latencyMs.p95.toFixed(0)} ms`
                  : '–'}
              </dd>
            </div>
            {current.isDegraded && (
              <div class="warn">
                <dt>Overloaded</dt>
                <dd>
                  {current.droppedFps < 0.5 ? 'recovering' : `${current.droppedFps.toFixed(0)} fps left out`}
                </dd>
              </div>
            )}
            <div class="wide">
              <dt>Engine</dt>
              <dd>{current.engine}</dd>
            </div>
          </>
        )}
      </dl>
    </header>
  );
}

function TokenForm() {
  const [token, setToken] = useState('');
  return (
    <form
      class="token"
      onSubmit={(event) => {
        event.preventDefault();
        useToken(token);
      }}
    >
      <h1>Maskwatch</h1>
      <label for="token">This service asks for an access token. Paste yours; it stays in this tab.</label>
      <textarea
        id="token"
        rows={4}
        value={token}
        onInput={(event) => setToken(event.currentTarget.value)}
        onKeyDown={(event) => {
          // A token has no lines: Enter signs in.
          if (event.key !== 'Enter') return;
          event.preventDefault();
          event.currentTarget.form?.requestSubmit();
        }}
        required
      />
      {tokenProblem.value && (
        <p class="problem" role="alert">
          {tokenProblem.value}
        </p>
      )}
      <button type="submit">Sign in</button>
    </form>
  );
}
