import { Registry } from 'prom-client';
import {
  CAMERA_CONDITIONS,
  CAMERA_REASONS,
  CAMERA_STATES,
  type CameraCondition,
  type CameraReason,
  type CameraState,
  type StreamTiming,
} from '../domain/camera.js';
import { EPISODE_CHANGES, type EpisodeChangeKind } from '../domain/episode.js';
import { NOT_ASSESSABLE_REASONS, type NotAssessableReason, OUTCOMES, type Outcome } from '../domain/label.js';
import { PIPELINE_STAGES, type PipelineStage } from '../domain/stage.js';
import { type Clock, systemClock } from '../lib/clock.js';
import {
  CLIENT_REFUSAL_REASONS,
  type ClientRefusalReason,
  defineFamilies,
  METRIC_EVENTS,
  METRIC_SINKS,
  type MetricEvent,
  type MetricFamilies,
  type MetricSink,
  VOLATILE_METRIC_EVENTS,
  type VolatileMetricEvent,
} from './metric-families.js';
import { RuntimeProbe } from './runtime-probe.js';

export interface MetricsOptions {
  /** Version of Maskwatch, for `maskwatch_build_info`. */
  readonly version: string;
  /** Every reason for which a frame can be dropped; label set of `maskwatch_frames_dropped_total`. */
  readonly dropReasons: readonly string[];
  readonly clock?: Clock;
}

interface KnownCamera {
  /** Monotonic time of the newest frame, or of being added; ms. */
  lastFrameMs: number;
  openEpisodes: number;
  isLive: boolean;
  tracks: number;
  clockJumps: number;
}

/**
 * Everything that is counted, behind typed functions, so that no misspelt label can reach prom-client. Known
 * label sets are there from the start with 0: a panel over a reason that never happened shows 0, not nothing.
 * What is told about a camera that was never added, or is gone, is ignored: a late frame must not bring a
 * removed camera's series back.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #families: MetricFamilies;
  readonly #clock: Clock;
  readonly #dropReasons: readonly string[];
  readonly #cameras = new Map<string, KnownCamera>();
  readonly #queues = new Map<string, () => number>();
  readonly #probe: RuntimeProbe;
  #readWorkers: (() => { utilisation: number; threads: number; deaths: number }) | null = null;
  #readReady: (() => boolean) | null = null;
  #deaths = 0;
  #cpuMicros = 0;

  constructor(options: MetricsOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#dropReasons = options.dropReasons;
    this.#families = defineFamilies(this.registry);
    this.#probe = new RuntimeProbe({ clock: this.#clock });
    const families = this.#families;
    families.buildInfo.set({ version: options.version, node: process.versions.node }, 1);
    families.startTime.set(Date.now() / 1000 - process.uptime());
    for (const stage of PIPELINE_STAGES) {
      families.frameAge.zero({ stage });
      families.stageDuration.zero({ stage });
    }
    for (const event of METRIC_EVENTS) families.messagesSent.inc({ event }, 0);
    for (const event of VOLATILE_METRIC_EVENTS) families.messagesDropped.inc({ event }, 0);
    for (const sink of METRIC_SINKS) families.publishFailures.inc({ sink }, 0);
    for (const reason of CLIENT_REFUSAL_REASONS) families.clientsRefused.inc({ reason }, 0);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The exposition text. Values that nobody pushes (ages, queues, workers, memory) are read here. */
  text(): Promise<string> {
    this.#readNow();
    return this.registry.metrics();
  }

  // Cameras

  addCamera(cameraId: string): void {
    if (this.#cameras.has(cameraId)) return;
    this.#cameras.set(cameraId, {
      ...{ lastFrameMs: this.#clock.monotonicMs(), openEpisodes: 0, isLive: false, tracks: 0, clockJumps: 0 },
    });
    const camera = cameraId;
    const families = this.#families;
    families.framesDecoded.inc({ camera }, 0);
    families.framesAnalysed.inc({ camera }, 0);
    families.frameLatency.zero({ camera });
    families.tracks.set({ camera }, 0);
    families.cropsDeferred.inc({ camera }, 0);
    families.tracksRejected.inc({ camera }, 0);
    families.episodesOpen.set({ camera }, 0);
    families.cameraClockJumps.inc({ camera }, 0);
    for (const reason of this.#dropReasons) families.framesDropped.inc({ camera, reason }, 0);
    for (const state of CAMERA_STATES) families.cameraState.set({ camera, state }, 0);
    for (const condition of CAMERA_CONDITIONS) families.cameraCondition.set({ camera, condition }, 0);
    for (const reason of CAMERA_REASONS) families.cameraRestarts.inc({ camera, reason }, 0);
    for (const outcome of OUTCOMES) families.faces.inc({ camera, outcome }, 0);
    for (const reason of NOT_ASSESSABLE_REASONS) families.facesNotAssessable.inc({ camera, reason }, 0);
    for (const change of EPISODE_CHANGES) families.episodeChanges.inc({ camera, change }, 0);
  }

  removeCamera(cameraId: string): void {
    if (!this.#cameras.delete(cameraId)) return;
    const camera = cameraId;
    const families = this.#families;
    families.framesDecoded.remove({ camera });
    families.framesAnalysed.remove({ camera });
    families.frameLatency.remove({ camera });
    families.tracks.remove({ camera });
    families.cropsDeferred.remove({ camera });
    families.tracksRejected.remove({ camera });
    families.episodesOpen.remove({ camera });
    families.cameraLastFrameAge.remove({ camera });
    families.cameraJitter.remove({ camera });
    families.cameraClockDrift.remove({ camera });
    families.cameraClockJumps.remove({ camera });
    for (const reason of this.#dropReasons) families.framesDropped.remove({ camera, reason });
    for (const state of CAMERA_STATES) families.cameraState.remove({ camera, state });
    for (const condition of CAMERA_CONDITIONS) families.cameraCondition.remove({ camera, condition });
    for (const reason of CAMERA_REASONS) families.cameraRestarts.remove({ camera, reason });
    for (const outcome of OUTCOMES) families.faces.remove({ camera, outcome });
    for (const reason of NOT_ASSESSABLE_REASONS) families.facesNotAssessable.remove({ camera, reason });
    for (const change of EPISODE_CHANGES) families.episodeChanges.remove({ camera, change });
  }

  frameDecoded(cameraId: string): void {
    const known = this.#cameras.get(cameraId);
    if (!known) return;
    known.lastFrameMs = this.#clock.monotonicMs();
    this.#families.framesDecoded.inc({ camera: cameraId });
  }

  /** `latencyMs`: monotonic, from leaving ffmpeg to being told. */
  frameAnalysed(cameraId: string, latencyMs: number): void {
    if (!this.#cameras.has(cameraId)) return;
    this.#families.framesAnalysed.inc({ camera: cameraId });
    this.#families.frameLatency.observe({ camera: cameraId }, latencyMs / 1000);
  }

  /** A reason that was not named in `dropReasons` is ignored. */
  frameDropped(cameraId: string, reason: string): void {
    if (this.#cameras.has(cameraId) && this.#dropReasons.includes(reason))
      this.#families.framesDropped.inc({ camera: cameraId, reason });
  }

  cameraState(cameraId: string, state: CameraState): void {
    const known = this.#cameras.get(cameraId);
    if (!known) return;
    known.isLive = state === 'live';
    for (const other of CAMERA_STATES)
      this.#families.cameraState.set({ camera: cameraId, state: other }, other === state ? 1 : 0);
  }

  cameraCondition(cameraId: string, condition: CameraCondition, isOn: boolean): void {
    if (this.#cameras.has(cameraId))
      this.#families.cameraCondition.set({ camera: cameraId, condition }, isOn ? 1 : 0);
  }

  cameraTiming(cameraId: string, { jitterMs, driftPpm, jumps }: StreamTiming): void {
    const known = this.#cameras.get(cameraId);
    if (!known) return;
    const camera = cameraId;
    this.#families.cameraJitter.set({ camera }, jitterMs / 1000);
    if (driftPpm !== null) this.#families.cameraClockDrift.set({ camera }, driftPpm / 1e6);
    this.#families.cameraClockJumps.inc({ camera }, Math.max(0, jumps - known.clockJumps));
    known.clockJumps = jumps;
  }

  cameraRestarted(cameraId: string, reason: CameraReason): void {
    if (this.#cameras.has(cameraId)) this.#families.cameraRestarts.inc({ camera: cameraId, reason });
  }

  // The path

  /** `ageMs`: monotonic, from leaving ffmpeg to entering the stage. */
  frameAge(stage: PipelineStage, ageMs: number): void {
    this.#families.frameAge.observe({ stage }, ageMs / 1000);
  }

  stageDuration(stage: PipelineStage, durationMs: number): void {
    this.#families.stageDuration.observe({ stage }, durationMs / 1000);
  }

  /** Registers a queue; `readItems` is called at each scrape. `queue` must be one of a few fixed names. */
  addQueue(queue: string, capacity: number, readItems: () => number): void {
    this.#queues.set(queue, readItems);
    this.#families.queueCapacity.set({ queue }, capacity);
    this.#families.queueDropped.inc({ queue }, 0);
  }

  queueDropped(queue: string, count = 1): void {
    if (this.#queues.has(queue)) this.#families.queueDropped.inc({ queue }, count);
  }

  batch(sizeCrops: number, waitMs: number): void {
    this.#families.batchSize.observe(sizeCrops);
    this.#families.batchWait.observe(waitMs / 1000);
  }

  /** Crops of a batch that the classifier looked at again, and that the detector looked at closer. */
  furtherLooks({ secondLooks, closeUps }: { secondLooks: number; closeUps: number }): void {
    this.#families.secondLooks.inc(secondLooks);
    this.#families.closeUps.inc(closeUps);
  }

  /** Declares a model in use: its info and its inference series. */
  addModel(info: {
    model: string;
    task: 'detection' | 'classification';
    engine: string;
    device: string;
    engineVersion: string;
  }): void {
    const { model, task, engine, device } = info;
    this.#families.modelInfo.set({ model, task, engine, device, engine_version: info.engineVersion }, 1);
    this.#families.inferenceDuration.zero({ model, engine });
    this.#families.inferenceFailures.inc({ model, engine }, 0);
  }

  inference(model: string, engine: string, durationMs: number): void {
    this.#families.inferenceDuration.observe({ model, engine }, durationMs / 1000);
  }

  inferenceFailed(model: string, engine: string): void {
    this.#families.inferenceFailures.inc({ model, engine });
  }

  /** `read` is called at each scrape; utilisation in [0, 1], deaths since the start. */
  setWorkersReader(read: () => { utilisation: number; threads: number; deaths: number }): void {
    this.#readWorkers = read;
  }

  // What was seen

  /** Faces followed in the newest frame; a camera that is not live shows none. */
  tracks(cameraId: string, count: number): void {
    const known = this.#cameras.get(cameraId);
    if (known) known.tracks = count;
  }

  cropsDeferred(cameraId: string, count: number): void {
    if (this.#cameras.has(cameraId)) this.#families.cropsDeferred.inc({ camera: cameraId }, count);
  }

  tracksRejected(cameraId: string, count: number): void {
    if (this.#cameras.has(cameraId)) this.#families.tracksRejected.inc({ camera: cameraId }, count);
  }

  face(cameraId: string, outcome: Outcome, reason?: NotAssessableReason): void {
    if (!this.#cameras.has(cameraId)) return;
    this.#families.faces.inc({ camera: cameraId, outcome });
    if (reason !== undefined) this.#families.facesNotAssessable.inc({ camera: cameraId, reason });
  }

  episodeChanged(cameraId: string, change: EpisodeChangeKind): void {
    const known = this.#cameras.get(cameraId);
    if (!known) return;
    this.#families.episodeChanges.inc({ camera: cameraId, change });
    if (change === 'opened') known.openEpisodes += 1;
    // What an earlier run left open is closed at start, before anything opens: never below 0.
    if (change === 'closed') known.openEpisodes = Math.max(0, known.openEpisodes - 1);
    this.#families.episodesOpen.set({ camera: cameraId }, known.openEpisodes);
  }

  // What is told

  clients(count: number): void {
    this.#families.clients.set(count);
  }

  clientRefused(reason: ClientRefusalReason): void {
    this.#families.clientsRefused.inc({ reason });
  }

  messageSent(event: MetricEvent, count = 1): void {
    this.#families.messagesSent.inc({ event }, count);
  }

  messageDropped(event: VolatileMetricEvent, count = 1): void {
    this.#families.messagesDropped.inc({ event }, count);
  }

  publishFailed(sink: MetricSink): void {
    this.#families.publishFailures.inc({ sink });
  }

  // The service

  /** `read` is called at each scrape. */
  setReadyReader(read: () => boolean): void {
    this.#readReady = read;
  }

  degraded(isDegraded: boolean): void {
    this.#families.degraded.set(isDegraded ? 1 : 0);
  }

  /** Stops the probes; the registry can still be read. */
  close(): void {
    this.#probe.close();
  }

  #readNow(): void {
    const families = this.#families;
    const nowMs = this.#clock.monotonicMs();
    families.ready.set(this.#readReady?.() ? 1 : 0);
    for (const [camera, { lastFrameMs, isLive, tracks }] of this.#cameras) {
      families.cameraLastFrameAge.set({ camera }, Math.max(0, nowMs - lastFrameMs) / 1000);
      families.tracks.set({ camera }, isLive ? tracks : 0);
    }
    for (const [queue, readItems] of this.#queues) families.queueItems.set({ queue }, readItems());
    const workers = this.#readWorkers?.();
    if (workers) {
      families.workerUtilisation.set(workers.utilisation);
      families.workers.set(workers.threads);
      families.workerDeaths.inc(workers.deaths - this.#deaths);
      this.#deaths = workers.deaths;
    }
    const window = this.#probe.window;
    families.eventLoopLag.set({ statistic: 'p50' }, window.lagMedianSeconds);
    families.eventLoopLag.set({ statistic: 'p99' }, window.lagP99Seconds);
    families.eventLoopLag.set({ statistic: 'max' }, window.lagMaxSeconds);
    families.eventLoopUtilisation.set(window.utilisation);
    const memory = process.memoryUsage();
    families.residentMemory.set(memory.rss);
    families.heapUsed.set(memory.heapUsed);
    families.externalMemory.set(memory.external);
    const cpu = process.cpuUsage();
    const cpuMicros = cpu.user + cpu.system;
    families.cpuSeconds.inc((cpuMicros - this.#cpuMicros) / 1e6);
    this.#cpuMicros = cpuMicros;
  }
}
