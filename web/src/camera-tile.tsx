import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { CameraPayload, FacePayload } from '../../src/publish/events';
import { episodes, frames, stats } from './connection';
import { paintFrame } from './frame-painter';
import { CONDITION_WORDS, durationWords, facesInWords, STATE_WORDS, sinceWords } from './words';

/** Text under the picture changes at most this often: it is read by people and by screen readers. */
const TEXT_PERIOD_MS = 500;
/** A live camera that shows nothing new for this long, and for three due frames, is told to be stuck. */
const STUCK_MS = 5000;

interface CameraTileProps {
  camera: CameraPayload;
  now: number;
  /** The service is not heard of: what is known of the camera may no longer be true. */
  isStale: boolean;
}

export function CameraTile({ camera, now, isStale }: CameraTileProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [faces, setFaces] = useState<readonly FacePayload[]>([]);
  /** Page time of the newest picture; `null` before the first. */
  const [pictureAtMs, setPictureAtMs] = useState<number | null>(null);
  const hasPicture = pictureAtMs !== null;

  useEffect(() => {
    let newest: readonly FacePayload[] = [];
    let waiting: ReturnType<typeof setTimeout> | null = null;
    const tell = () => {
      waiting = null;
      setFaces(newest);
    };
    const stop = frames.listen(camera.cameraId, (frame) => {
      if (!canvas.current) return;
      paintFrame(canvas.current, frame).then(
        () => setPictureAtMs(performance.now()),
        (error: unknown) => console.error(`a picture of ${camera.cameraId} cannot be shown`, error),
      );
      newest = frame.detections.faces;
      // What is told is always the newest picture's, and never one's that has passed while another was read.
      waiting ??= setTimeout(tell, TEXT_PERIOD_MS);
    });
    return () => {
      stop();
      if (waiting !== null) clearTimeout(waiting);
    };
  }, [camera.cameraId]);

  const isLive = camera.state === 'live' && !isStale;
  const state = isStale ? 'unknown' : camera.state;
  const stateWords = isStale ? 'Unknown' : STATE_WORDS[camera.state];
  // What nobody has looked at yet; the list has the most urgent first.
  const pending = episodes.value.find(
    (episode) => episode.cameraId === camera.cameraId && !episode.closedAt && !episode.verdict,
  );
  const rate = stats.value?.perCamera[camera.cameraId];
  // Not how long it is in this state: each attempt is a change of that.
  const toldAtMs = useMemo(() => performance.now(), [camera]);
  const outage =
    camera.lastFrameAgeMs === null
      ? 'no picture yet'
      : `no picture for ${durationWords(camera.lastFrameAgeMs + performance.now() - toldAtMs)}`;
  const quietMs = pictureAtMs === null ? 0 : performance.now() - pictureAtMs;
  const conditions = isLive ? camera.conditions : [];
  const isBlind = isLive && camera.isBlind === true;
  const seen = isBlind ? 'nobody can be judged on this picture' : facesInWords(faces);
  const isStuck = isLive && quietMs > Math.max(STUCK_MS, 3000 / (rate?.dueFps ?? 1));
  return (
    <article
      class={`tile state-${state} ${isBlind ? 'is-blind' : ''} ${pending && !isStale ? `pending-${pending.label}` : ''}`}
      aria-label={`${camera.name}: ${stateWords}, ${isLive ? seen : 'no picture'}`}
      data-camera={camera.cameraId}
    >
      <header>
        <h2 title={camera.name}>{camera.name}</h2>
        <span class={`chip chip-${state}`} title={camera.message ?? ''}>
          {stateWords}
        </span>
      </header>
      <div class="picture">
        <canvas ref={canvas} width={640} height={360} />
        {conditions.length > 0 && (
          <ul class="conditions" role="status">
            {conditions.map(({ condition, since }) => (
              <li key={condition} data-condition={condition}>
                {CONDITION_WORDS[condition]} since {sinceWords(since, now)}
              </li>
            ))}
          </ul>
        )}
        {isStale && hasPicture && (
          <p class="veil">
            <strong>The picture is old</strong>
          </p>
        )}
        {!isLive && !isStale && camera.state !== 'disabled' && (
          <p class="veil">
            <strong>{hasPicture ? 'The picture is old' : stateWords}</strong>
            <span>
              {camera.message ?? 'waiting for the camera'} · {outage}
            </span>
          </p>
        )}
        {!isStale && camera.state === 'disabled' && (
          <p class="veil">
            <strong>Not watched</strong>
            <span>
              {camera.message ??
                (camera.reason === 'configuration' ? 'switched off in the configuration' : 'stopped')}
            </span>
          </p>
        )}
        {isStuck && (
          <p class="veil">
            <strong>The picture is old</strong>
            <span>nothing new for {durationWords(quietMs)}</span>
          </p>
        )}
        {isLive && !hasPicture && (
          <p class="veil">
            <strong>Live</strong>
            <span>waiting for the first picture</span>
          </p>
        )}
      </div>
      <footer>
        <span>{isLive ? seen : isStale ? '' : 'not being watched'}</span>
        <span class="figures">
          {rate && !isStale ? `${rate.analysedFps.toFixed(0)} / ${rate.dueFps.toFixed(0)} fps` : ''}
          {rate && !isStale && rate.droppedFps >= 0.5 ? ` · ${rate.droppedFps.toFixed(0)} dropped` : ''}
        </span>
      </footer>
    </article>
  );
}
