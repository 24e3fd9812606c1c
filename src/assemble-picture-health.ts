import { pictureHealthLimits } from './assemble-limits.js';
import type { EffectiveCamera } from './config/effective-camera.js';
import type { LoadedCamera, LoadedConfig } from './config/load-config.js';
import { type ActiveCondition, BLINDING_CONDITIONS, type CameraStatus } from './domain/camera.js';
import { type ConditionChange, PictureHealth } from './ingest/picture-health.js';
import type { Log } from './observability/logging.js';
import type { Metrics } from './observability/metrics.js';
import type { PictureWatch } from './pipeline/camera-pipeline.js';

/** Picture health of one camera, told by log and metrics. */
export interface PictureHealthWatch extends PictureWatch {
  /** In the order of CAMERA_CONDITIONS. */
  conditions(): readonly ActiveCondition[];
  /** Pictures were concealed while decoding: `share` of the picture, 0–1. */
  damaged(share: number, monotonicMs: number): void;
  /** Call for each change of the camera's state. */
  stateChanged(status: Pick<CameraStatus, 'state'>): void;
}

/** `null` where the configuration switches it off. `onChange` is called once for all changes of one moment. */
export function assemblePictureHealth(parts: {
  readonly config: LoadedConfig;
  readonly camera: EffectiveCamera<LoadedCamera>;
  readonly metrics: Metrics;
  readonly log: Log;
  /** As ingest has it. */
  readonly status: () => CameraStatus;
  readonly onChange: () => void;
}): PictureHealthWatch | null {
  const { config, camera, metrics, log, status, onChange } = parts;
  const { pictureHealth } = config.ingest;
  if (!pictureHealth.enabled) return null;
  const health = new PictureHealth({
    ...pictureHealthLimits(pictureHealth, {
      rateFps: camera.analysis.rateFps,
      keyframesOnly: camera.keyframesOnly,
    }),
    ignored: camera.ignoreConditions,
  });
  const tell = (changes: readonly ConditionChange[]) => {
    for (const { condition, isOn, sinceMs } of changes) {
      metrics.cameraCondition(camera.id, condition, isOn);
      const fields = { condition, since: new Date(sinceMs).toISOString() };
      const words = condition.replaceAll('_', ' ');
      if (!isOn) log.info(fields, `picture is not ${words} any more`);
      else if (BLINDING_CONDITIONS.has(condition))
        log.warn(fields, `picture is ${words}: nobody can be judged on it`);
      else log.warn(fields, `picture is ${words}`);
    }
    if (changes.length > 0) onChange();
  };
  return {
    conditions: () => health.conditions,
    observe: (statistics, { monotonicMs, capturedAtMs }) => {
      // A frame that was under way as the stream ended says nothing of a camera that is not live.
      const { state, timing } = status();
      if (state !== 'live') return !health.isBlind;
      const at = { monotonicMs, wallMs: capturedAtMs };
      tell([
        ...health.observe(statistics, at),
        // ffmpeg hands on no sender reports: how far the clock is off is not known, only how it runs.
        ...(timing ? health.observeClock({ skewMs: null, ...timing }, at) : []),
      ]);
      return !health.isBlind;
    },
    damaged: (share, monotonicMs) => health.damaged(share, monotonicMs),
    stateChanged: ({ state }) => {
      if (state === 'live') return;
      for (const { condition } of health.interrupt()) metrics.cameraCondition(camera.id, condition, false);
    },
  };
}
