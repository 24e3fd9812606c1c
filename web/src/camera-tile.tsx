import { useEffect, useRef, useState } from 'preact/hooks';
import type { CameraPayload, FacePayload } from '../../src/publish/events';
import { episodes, frames, stats } from './connection';
import { paintFrame } from './frame-painter';
import { durationWords, facesInWords, STATE_WORDS } from './words';

/** Text under the picture changes at most this often: it is read by people and by screen readers. */
const TEXT_PERIOD_MS = 1000;

export function CameraTile({ camera, now }: { camera: CameraPayload; now: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [faces, setFaces] = useState<readonly FacePayload[]>([]);
  const [hasPicture, setHasPicture] = useState(false);

  useEffect(() => {
    let textAt = Number.NEGATIVE_INFINITY;
    return frames.listen(camera.cameraId, (frame) => {
      if (canvas.current) void paintFrame(canvas.current, frame).then(() => setHasPicture(true));
      if (performance.now() - textAt >= TEXT_PERIOD_MS) {
        textAt = performance.now();
        setFaces(frame.detections.faces);
      }
    });
  }, [camera.cameraId]);

  const isLive = camera.state === 'live';
  const open = episodes.value.filter((episode) => episode.cameraId === camera.cameraId && !episode.closedAt);
  const rate = stats.value?.perCamera[camera.cameraId];
  const sinceMs = now - Date.parse(camera.since);
  return (
    <article
      class={`tile state-${camera.state} ${open.length > 0 ? 'has-violation' : ''}`}
      aria-label={`${camera.name}: ${STATE_WORDS[camera.state]}, ${isLive ? facesInWords(faces) : 'no picture'}`}
      data-camera={camera.cameraId}
    >
      <header>
        <h2>{camera.name}</h2>
        <span class={`chip chip-${camera.state}`} title={camera.message ?? ''}>
          {STATE_WORDS[camera.state]}
        </span>
      </header>
      <div class="picture">
        <canvas ref={canvas} width={640} height={360} />
        {!isLive && camera.state !== 'disabled' && (
          <p class="veil">
            <strong>{hasPicture ? 'The picture is old' : STATE_WORDS[camera.state]}</strong>
            <span>
              {camera.message ?? 'waiting for the camera'} · {durationWords(sinceMs)}
            </span>
          </p>
        )}
        {camera.state === 'disabled' && (
          <p class="veil">
            <strong>Not watched</strong>
            <span>{camera.message ?? 'switched off in the configuration'}</span>
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
        <span>{isLive ? facesInWords(faces) : 'not being watched'}</span>
        <span class="figures">
          {rate ? `${rate.analysedFps.toFixed(0)} / ${rate.dueFps.toFixed(0)} fps` : ''}
          {rate && rate.droppedFps >= 0.5 ? ` · ${rate.droppedFps.toFixed(0)} dropped` : ''}
        </span>
      </footer>
    </article>
  );
}
