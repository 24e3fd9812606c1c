import { minGapMs, stallLimitMs, trackGaps } from './assemble-limits.js';
import { assemblePictureHealth } from './assemble-picture-health.js';
import type { MaskClassifier } from './classification/mask-classifier.js';
import type { EffectiveCamera } from './config/effective-camera.js';
import type { LoadedCamera, LoadedConfig } from './config/load-config.js';
import type { PolicyConfig } from './config/schema.js';
import { CropSelector } from './crops/crop-selector.js';
import { DecisionMaker } from './decision/decision-maker.js';
import type { MaskPolicy } from './decision/policy.js';
import type { FaceDetector } from './detection/face-detector.js';
import type { CameraStatus } from './domain/camera.js';
import { CameraSupervisor } from './ingest/camera-supervisor.js';
import type { FfmpegBinary } from './ingest/ffmpeg-binary.js';
import { FfmpegSource } from './ingest/ffmpeg-source.js';
import { accountOf, type LoginRegister } from './ingest/login-register.js';
import type { StartGate } from './ingest/start-gate.js';
import type { Clock } from './lib/clock.js';
import type { Log } from './observability/logging.js';
import type { Metrics } from './observability/metrics.js';
import type { RepeatSummary } from './observability/repeat-summary.js';
import { CameraPipeline, type PipelineOutput } from './pipeline/camera-pipeline.js';
import { CameraRuntime } from './pipeline/camera-runtime.js';
import type { LiveStats } from './publish/live-stats.js';
import { FaceTracker } from './tracking/face-tracker.js';

const MIN_CAMERA_LOST_MS = 10_000;
/** A crop is classified in every frame until its track is decided; this bounds a crowd's share of one frame. */
const MAX_CROPS_PER_FRAME = 16;

export interface CameraParts {
  readonly config: LoadedConfig;
  readonly camera: EffectiveCamera<LoadedCamera>;
  readonly binary: FfmpegBinary;
  readonly gate: StartGate;
  readonly logins: LoginRegister;
  readonly detector: FaceDetector;
  readonly classifier: MaskClassifier;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly stats: LiveStats;
  readonly faults: RepeatSummary;
  readonly log: Log;
  readonly newEpisodeId: (wallMs: number) => string;
  readonly output: PipelineOutput;
  readonly onStatus: (status: CameraStatus) => void;
}

/** Puts one camera's stream and stages together from its configuration. Nothing runs yet. */
export function assembleCamera(parts: CameraParts): CameraRuntime {
  const { config, camera, clock, metrics, stats, log } = parts;
  const cameraId = camera.id;
  stats.addCamera(cameraId, camera.analysis.rateFps);
  const { rateFps } = camera.analysis;
  const dropped = (reason: Parameters<Metrics['frameDropped']>[1]) => {
    metrics.frameDropped(cameraId, reason);
    stats.dropped(cameraId);
  };
  const pictures = assemblePictureHealth({
    ...{ config, camera, metrics, log },
    status: () => supervisor.status(),
    onChange: () => parts.onStatus(runtime.status),
  });
  const pipeline = new CameraPipeline({
    cameraId,
    clock,
    detector: parts.detector,
    classifier: parts.classifier,
    tracker: new FaceTracker({
      highScore: config.detection.scoreThreshold,
      lowScore: config.detection.lowScoreThreshold,
      confirmHits: config.tracking.confirmHits,
      ...trackGaps(rateFps, config.tracking),
    }),
    cropThresholds: {
      minFacePx: config.classification.minFacePx,
      minSharpness: config.classification.minSharpness,
    },
    selector: new CropSelector({
      recheckMs: config.classification.recheckSeconds * 1000,
      maxCropsPerFrame: MAX_CROPS_PER_FRAME,
      onDeferred: (count) => metrics.cropsDeferred(cameraId, count),
    }),
    decisions: new DecisionMaker({
      cameraId,
      policy: toMaskPolicy(camera.policy),
      newEpisodeId: parts.newEpisodeId,
      cameraLostMs: Math.max(MIN_CAMERA_LOST_MS, minGapMs(rateFps)),
      minFaceScore: config.classification.minFaceScore,
    }),
    ...(pictures ? { pictures } : {}),
    output: parts.output,
    observer: {
      dropped,
      failed: (error) =>
        parts.faults.add(`the analysis of a frame of ${cameraId} failed: a fault of ours`, error),
      frameAge: (stage, ageMs) => metrics.frameAge(stage, ageMs),
      stageDuration: (stage, durationMs) => metrics.stageDuration(stage, durationMs),
      tracks: (count) => metrics.tracks(cameraId, count),
      rejected: (count) => metrics.tracksRejected(cameraId, count),
    },
  });
  const stream = {
    // Evidence in full size will come from `url`; what is analysed needs no more than the smaller stream.
    url: camera.subUrl ?? camera.url,
    ...(camera.username === undefined ? {} : { username: camera.username }),
    ...(camera.password === undefined ? {} : { password: camera.password.reveal() }),
  };
  const supervisor = new CameraSupervisor({
    cameraId,
    clock,
    log,
    gate: parts.gate,
    logins: parts.logins,
    account: accountOf(stream),
    source: new FfmpegSource({
      cameraId,
      ...stream,
      transport: camera.transport,
      loop: camera.loop,
      decoding: camera.decoding,
      keyframesOnly: camera.keyframesOnly,
      rotationDegrees: camera.rotationDegrees,
      inputOptions: camera.inputOptions,
      analysis: camera.analysis,
      binary: parts.binary,
      clock,
      killAfterMs: config.ingest.killAfterSeconds * 1000,
      connectMs: config.ingest.connectTimeoutSeconds * 1000,
      // Only a second line of defence: our watchdog knows better what did not come.
      timeoutMs:
        1000 * Math.max(config.ingest.stallTimeoutSeconds, config.ingest.connectTimeoutSeconds) + 1000,
      log,
    }),
    timeouts: {
      connectMs: config.ingest.connectTimeoutSeconds * 1000,
      stallMs: stallLimitMs(rateFps, {
        stallTimeoutSeconds: config.ingest.stallTimeoutSeconds,
        keyframesOnly: camera.keyframesOnly,
      }),
      backoffMinMs: config.ingest.backoffMinSeconds * 1000,
      backoffMaxMs: config.ingest.backoffMaxSeconds * 1000,
      stableAfterMs: config.ingest.stableAfterSeconds * 1000,
    },
    onFrame: (frame) => {
      metrics.frameDecoded(cameraId);
      pipeline.offer(frame);
    },
    onDamaged: (share) => pictures?.damaged(share, clock.monotonicMs()),
    onDropped: (reason) => {
      metrics.frameDecoded(cameraId);
      dropped(reason);
    },
    onStatus: (status) => {
      pictures?.stateChanged(status);
      parts.onStatus(runtime.status);
    },
    onRunEnd: (end) => metrics.cameraRestarted(cameraId, end.reason),
  });
  const runtime: CameraRuntime = new CameraRuntime({
    supervisor,
    pipeline,
    clock,
    ...(pictures ? { conditions: () => pictures.conditions() } : {}),
    onFailure: (error) => log.error({ err: error }, 'the camera is not watched any more: a fault of ours'),
  });
  return runtime;
}

function toMaskPolicy(policy: PolicyConfig): MaskPolicy {
  return {
    labels: policy.labels,
    openThreshold: policy.openThreshold,
    closeThreshold: policy.closeThreshold,
    minDurationMs: policy.minDurationSeconds * 1000,
    graceMs: policy.graceSeconds * 1000,
    zones: policy.zones.map(({ id, polygon, exempt }) => ({ id, polygon, isExempt: exempt })),
    schedule: policy.schedule,
    timeZone: policy.timeZone,
  };
}
