import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { assembleCamera } from './assemble-camera.js';
import { chooseBatchSize } from './classification/choose-batch-size.js';
import { MaskClassifier } from './classification/mask-classifier.js';
import { type EffectiveCamera, effectiveCamera } from './config/effective-camera.js';
import type { LoadedCamera, LoadedConfig } from './config/load-config.js';
import { createEpisodeIdGenerator } from './decision/episode-id.js';
import { FaceDetector } from './detection/face-detector.js';
import type { CameraStatus } from './domain/camera.js';
import { TokenAuthority } from './http/auth.js';
import { HttpServer } from './http/http-server.js';
import { assertBindAllowed } from './http/origin.js';
import { assessReadiness } from './http/readiness.js';
import { InferencePool } from './inference/inference-pool.js';
import { findFfmpeg } from './ingest/ffmpeg-binary.js';
import { FRAME_DROP_REASONS } from './ingest/frame-source.js';
import { type Clock, systemClock } from './lib/clock.js';
import { modelsDir, packageVersion, webRoot } from './lib/package-paths.js';
import { cameraLog, type Log } from './observability/logging.js';
import { Metrics } from './observability/metrics.js';
import { RepeatSummary } from './observability/repeat-summary.js';
import type { PipelineOutput } from './pipeline/camera-pipeline.js';
import type { CameraRuntime } from './pipeline/camera-runtime.js';
import { EpisodeJournal } from './publish/episode-journal.js';
import { type CameraEvent, InProcessEventBus } from './publish/event-bus.js';
import { LiveStats } from './publish/live-stats.js';
import { PictureEncoder } from './publish/picture-encoder.js';
import { SocketGateway } from './publish/socket-gateway.js';
import { SqliteEpisodeStore } from './publish/sqlite-episode-store.js';

export interface AppOptions {
  readonly config: LoadedConfig;
  readonly log: Log;
  readonly clock?: Clock;
}

const STATS_PERIOD_MS = 1000;
/** Crops of all cameras that may wait for a batch. */
const MAX_WAITING_CROPS = 256;
/** Worker threads beyond this bring memory, not speed: each holds both models. */
const MAX_AUTO_WORKERS = 8;

interface WatchedCamera {
  readonly config: EffectiveCamera<LoadedCamera>;
  /** `null` for a camera that is switched off. */
  readonly runtime: CameraRuntime | null;
  readonly switchedOffAtMs: number;
}

/**
 * The service: chooses the adapter behind every port, wires the stages, and closes them in the order of
 * docs/closing.md.
 */
export class App {
  readonly #cameras = new Map<string, WatchedCamera>();
  readonly #openEpisodes = new Set<string>();
  /** What was opened, in order; closed in reverse by {@link close}. */
  readonly #closers: { name: string; close: () => Promise<unknown> | unknown }[] = [];
  readonly #log: Log;
  readonly #clock: Clock;
  #http: HttpServer | null = null;
  #isModelLoaded = false;
  #closing: Promise<void> | null = null;

  /** Opens everything and starts the cameras. On failure nothing is left open. Throws `AppError`s. */
  static async open(options: AppOptions): Promise<App> {
    const app = new App(options);
    try {
      await app.#open(options.config);
      return app;
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  private constructor(options: AppOptions) {
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
  }

  get url(): string {
    if (!this.#http) throw new Error('the application is not open');
    return this.#http.url;
  }

  get cameraCount(): number {
    return this.#cameras.size;
  }

  async #open(config: LoadedConfig): Promise<void> {
    const log = this.#log;
    const clock = this.#clock;
    assertBindAllowed(config.server.host, config.server.auth !== undefined);
    const binary = await findFfmpeg({ path: config.ingest.ffmpegPath });
    const metrics = new Metrics({ version: packageVersion(), dropReasons: FRAME_DROP_REASONS, clock });
    this.#closeLater('metrics', () => metrics.close());
    const stats = new LiveStats(clock);
    // What can fail again and again: told at once, then counted.
    const faults = new RepeatSummary({
      clock,
      first: (fault) => log.error({}, fault),
      again: (fault, count, periodMs) => log.error({ count, periodMs }, `again: ${fault}`),
    });
    this.#closeLater('faults', () => faults.close());

    const store = await SqliteEpisodeStore.open({
      path: config.store.path,
      clock,
      onSyncFailed: (error) => log.error({ err: error }, 'the disk did not confirm a write of the store'),
    });
    this.#closeLater('store', () => store.close());
    const bus = new InProcessEventBus({
      onHandlerError: (event, error) => log.error({ event, err: error }, 'an event could not be handled'),
    });
    const journal = new EpisodeJournal({
      store,
      bus,
      clock,
      onWriteFailed: (error) => {
        metrics.publishFailed('store');
        faults.add(
          `an episode cannot be stored yet; it is kept and tried again: ${error.code} ${error.message}`,
        );
      },
      onRecovered: () => log.info({}, 'the store takes episodes again'),
      onLost: (change, why) => {
        metrics.queueDropped('journal');
        log.error(
          { episodeId: change.episode.id, change: change.change, why },
          'a change of an episode is lost',
        );
      },
    });
    metrics.addQueue('journal', journal.capacity, () => journal.pendingCount);
    bus.subscribe('episode', ({ kind, change }) => {
      if (kind === 'provisional') return;
      metrics.episodeChanged(change.episode.cameraId, change.change);
      if (change.episode.state === 'open') this.#openEpisodes.add(change.episode.id);
      else this.#openEpisodes.delete(change.episode.id);
    });

    const authority = config.server.auth ? new TokenAuthority(config.server.auth.secret.reveal()) : null;
    const http = await HttpServer.open({
      host: config.server.host,
      port: config.server.port,
      webRoot: webRoot(),
      metrics,
      readiness: () => this.#readiness(journal),
      ...(authority ? { auth: authority } : {}),
      corsOrigins: config.server.corsOrigins,
      onError: (error) => log.error({ err: error }, 'a request failed'),
    });
    this.#http = http;
    this.#closeLater('http', () => http.close());
    const gateway = await SocketGateway.open({
      server: http.server,
      bus,
      store,
      journal,
      clock,
      cameras: () => this.#cameraEvents(),
      isRequestAllowed: (request) => http.isRequestAllowed(request),
      corsOrigins: config.server.corsOrigins,
      observer: metrics,
      onError: (error) => log.error({ err: error }, 'a client could not be served'),
      ...(authority ? { authenticate: (token: unknown) => authority.verify(token) } : {}),
    });
    this.#closeLater('sockets', () => gateway.close());
    // Before the sockets: what the cameras' end closes is still stored and told.
    this.#closeLater('journal', () => journal.close());

    const pool = await this.#openPool(config, metrics);
    const classifier = new MaskClassifier({
      clock,
      classifyBatch: (crops) => pool.classify(crops),
      maxBatch:
        config.inference.maxBatch === 'auto'
          ? chooseBatchSize(pool.classifyMsByBatch)
          : config.inference.maxBatch,
      maxBatchAgeMs: config.inference.maxBatchAgeMs,
      maxRunning: pool.workers,
      maxQueue: MAX_WAITING_CROPS,
      onBatch: (report) => {
        metrics.batch(report.size, report.waitMs);
        if (report.ok) metrics.inference(config.classification.model, pool.info.engine, report.runMs);
        else metrics.inferenceFailed(config.classification.model, pool.info.engine);
      },
      onDrop: () => metrics.queueDropped('crops'),
    });
    this.#closeLater('classifier', () => classifier.close());
    metrics.addQueue('crops', MAX_WAITING_CROPS, () => classifier.queueSize);
    const detector = new FaceDetector(
      {
        detect: async (pixels, threshold) => {
          const result = await pool.detect(pixels, threshold);
          if (result.ok)
            metrics.inference(config.detection.model, pool.info.engine, result.timings.inferenceMs);
          else {
            metrics.inferenceFailed(config.detection.model, pool.info.engine);
            faults.add(`a picture could not be analysed: ${result.error.code} ${result.error.message}`);
          }
          return result;
        },
      },
      { scoreThreshold: Math.min(config.detection.lowScoreThreshold, config.detection.scoreThreshold) },
    );
    const pictures = new PictureEncoder({
      onPicture: (picture) => bus.publish('picture', picture),
      onSkipped: () => metrics.messageDropped('picture'),
      onFailed: (cameraId, error) => {
        metrics.publishFailed('picture');
        faults.add(`a picture of ${cameraId} could not be encoded: ${String(error)}`);
      },
    });
    this.#closeLater('pictures', () => pictures.close());

    const leftOpen = await journal.closeLeftOpen();
    if (leftOpen > 0) log.warn({ count: leftOpen }, 'closed the episodes that an earlier run left open');

    const newEpisodeId = createEpisodeIdGenerator();
    // Cameras are stopped first: whatever they lead to must still be there.
    this.#closeLater('cameras', () => this.#stopCameras());
    for (const loaded of config.cameras) {
      const camera = effectiveCamera(config, loaded);
      const output: PipelineOutput = {
        analysed: (frame, faces) => {
          const latencyMs = clock.monotonicMs() - frame.monotonicMs;
          metrics.frameAnalysed(camera.id);
          stats.analysed(camera.id, faces.length, latencyMs);
          for (const face of faces) metrics.face(camera.id, face.outcome, face.reason);
          const { cameraId, frameId, capturedAtMs, sourceWidth, sourceHeight } = frame;
          bus.publish('detections', { cameraId, frameId, capturedAtMs, sourceWidth, sourceHeight, faces });
          if (gateway.hasPictureViewers(camera.id)) pictures.offer(frame);
        },
        episodes: (changes) => {
          for (const change of changes) journal.record(change);
        },
      };
      const onStatus = (status: CameraStatus) => {
        metrics.cameraState(camera.id, status.state);
        bus.publish('camera', { name: camera.name, status });
      };
      const runtime = camera.enabled
        ? assembleCamera({
            ...{ config, camera, binary, detector, classifier, clock, metrics, stats, newEpisodeId },
            ...{ output, onStatus, log: cameraLog(log, camera.id) },
          })
        : null;
      this.#cameras.set(camera.id, { config: camera, runtime, switchedOffAtMs: clock.wallMs() });
    }
    for (const { runtime } of this.#cameras.values()) runtime?.start();

    const statsTimer = clock.every(STATS_PERIOD_MS, () => {
      const payload = stats.take({
        states: this.#cameraEvents().map(({ status }) => status.state),
        openEpisodes: this.#openEpisodes.size,
        engine: `${pool.info.engine} ${pool.info.version} (${pool.info.device})`,
      });
      metrics.degraded(payload.isDegraded);
      metrics.ready(this.#readiness(journal).status !== 'not_ready');
      bus.publish('stats', payload);
    });
    this.#closeLater('stats', () => statsTimer[Symbol.dispose]());
  }

  async #openPool(config: LoadedConfig, metrics: Metrics): Promise<InferencePool> {
    const workers =
      config.inference.workers === 'auto'
        ? Math.min(MAX_AUTO_WORKERS, availableParallelism())
        : config.inference.workers;
    const pool = await InferencePool.open({
      workers,
      workerOptions: {
        engine: config.inference.engine,
        detectorModelDir: join(modelsDir(), config.detection.model),
        classifierModelDir: join(modelsDir(), config.classification.model),
        detectorWidth: config.detection.widthPx,
        detectorHeight: config.detection.heightPx,
        threadsPerWorker: Math.max(1, Math.floor(availableParallelism() / workers)),
      },
      // Each camera has one detection or some batches under way; more than that is a fault.
      maxQueue: 2 * Math.max(1, config.cameras.length) + workers,
      log: this.#log,
    });
    this.#closeLater('inference', () => pool.close());
    this.#isModelLoaded = true;
    const { engine, device, version: engineVersion } = pool.info;
    metrics.addModel({ model: config.detection.model, task: 'detection', engine, device, engineVersion });
    metrics.addModel({
      model: config.classification.model,
      task: 'classification',
      engine,
      device,
      engineVersion,
    });
    metrics.addQueue('inference', 2 * Math.max(1, config.cameras.length) + workers, () => pool.queueSize);
    metrics.setWorkersReader(() => ({ utilisation: pool.utilization, threads: pool.workersReady }));
    this.#log.info(
      {
        ...{ engine, device, version: engineVersion, workers, detectMs: round(pool.detectMs) },
        classifyMsByBatch: Object.fromEntries(
          Object.entries(pool.classifyMsByBatch).map(([size, ms]) => [size, round(ms)]),
        ),
      },
      `inference runs on ${engine} (${device}): ${pool.info.reason}`,
    );
    return pool;
  }

  #cameraEvents(): CameraEvent[] {
    return [...this.#cameras.values()].map(({ config, runtime, switchedOffAtMs }) => ({
      name: config.name,
      status: runtime?.status ?? {
        cameraId: config.id,
        state: 'disabled',
        reason: 'configuration',
        sinceMs: switchedOffAtMs,
        lastFrameAgeMs: null,
        restarts: 0,
      },
    }));
  }

  #readiness(journal: EpisodeJournal) {
    return assessReadiness({
      isModelLoaded: this.#isModelLoaded,
      isClosing: this.#closing !== null,
      cameraStates: [...this.#cameras.values()].flatMap(({ runtime }) => runtime?.status.state ?? []),
      storeFailure: journal.failure?.message ?? null,
      pendingEpisodeChanges: journal.pendingCount,
    });
  }

  async #stopCameras(): Promise<void> {
    const runtimes = [...this.#cameras.values()].flatMap(({ runtime }) => runtime ?? []);
    await Promise.all(runtimes.map((runtime) => runtime.stop()));
  }

  #closeLater(name: string, close: () => Promise<unknown> | unknown): void {
    this.#closers.push({ name, close });
  }

  /** Closes everything, last opened first. Idempotent; a part that fails is logged and the rest goes on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const { name, close } of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ part: name, err: error }, 'a part of the service did not close cleanly');
      }
    }
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
