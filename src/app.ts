import { assembleCamera } from './assemble-camera.js';
import { type Inference, openInference } from './assemble-inference.js';
import { loginLimits } from './assemble-limits.js';
import { openPublishing, type Publishing } from './assemble-publishing.js';
import { type EffectiveCamera, effectiveCamera } from './config/effective-camera.js';
import type { LoadedCamera, LoadedConfig } from './config/load-config.js';
import { createEpisodeIdGenerator } from './decision/episode-id.js';
import { assertBindAllowed } from './http/origin.js';
import { assessReadiness } from './http/readiness.js';
import { FfmpegChoice } from './ingest/ffmpeg-choice.js';
import { FRAME_DROP_REASONS } from './ingest/frame-source.js';
import { endLeftovers } from './ingest/leftovers.js';
import { LoginRegister } from './ingest/login-register.js';
import { StartGate } from './ingest/start-gate.js';
import { type Clock, systemClock } from './lib/clock.js';
import { CloseStack } from './lib/close-stack.js';
import { endProcessSoon } from './lib/end-process.js';
import { packageVersion } from './lib/package-paths.js';
import { cameraLog, type Log } from './observability/logging.js';
import { Metrics } from './observability/metrics.js';
import { RepeatSummary } from './observability/repeat-summary.js';
import type { PipelineOutput } from './pipeline/camera-pipeline.js';
import type { CameraRuntime } from './pipeline/camera-runtime.js';
import type { EpisodeJournal } from './publish/episode-journal.js';
import type { CameraEvent } from './publish/event-bus.js';
import { LiveStats } from './publish/live-stats.js';

export interface AppOptions {
  readonly config: LoadedConfig;
  readonly log: Log;
  readonly clock?: Clock;
}

const STATS_PERIOD_MS = 1000;
/** Beyond the wait before ffmpeg is killed: for its end, and for the frames in hand. */
const CAMERAS_CLOSE_MS = 5000;
/** What was left behind when the service closed keeps the process no longer than this. */
const LEFT_BEHIND_MS = 1000;

interface WatchedCamera {
  readonly config: EffectiveCamera<LoadedCamera>;
  /** `null` for a camera that is switched off. */
  readonly runtime: CameraRuntime | null;
  /** Wall clock, ms since 1970. */
  readonly addedAtMs: number;
}

/** What all cameras share. */
interface Shared {
  readonly ffmpegs: FfmpegChoice;
  readonly gate: StartGate;
  readonly logins: LoginRegister;
  readonly metrics: Metrics;
  readonly faults: RepeatSummary;
  readonly stats: LiveStats;
  readonly inference: Inference;
  readonly publishing: Publishing;
  readonly newEpisodeId: (wallMs: number) => string;
}

/** The service: wires the adapters and stages, and closes them in the order of docs/closing.md. */
export class App {
  readonly #cameras = new Map<string, WatchedCamera>();
  readonly #closers: CloseStack;
  readonly #log: Log;
  readonly #clock: Clock;
  #url = '';
  #inference: Inference | null = null;

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
    this.#closers = new CloseStack(
      (part, error) => this.#log.error({ part, err: error }, 'a part of the service did not close cleanly'),
      this.#clock,
    );
  }

  /** Address of the page. */
  get url(): string {
    return this.#url;
  }

  get cameraCount(): number {
    return this.#cameras.size;
  }

  async #open(config: LoadedConfig): Promise<void> {
    const log = this.#log;
    const clock = this.#clock;
    const closers = this.#closers;
    assertBindAllowed(config.server.host, config.server.auth !== undefined);
    const ffmpegs = await FfmpegChoice.open({ path: config.ingest.ffmpegPath }, log);
    const leftovers = await endLeftovers();
    if (leftovers > 0)
      log.warn({ count: leftovers }, 'ended ffmpeg processes that an earlier run left behind');
    const metrics = new Metrics({ version: packageVersion(), dropReasons: FRAME_DROP_REASONS, clock });
    closers.push('metrics', () => metrics.close());
    // What can fail again and again is told at once, then counted.
    const faults = new RepeatSummary({
      clock,
      first: (fault, error) => log.error(error === undefined ? {} : { err: error }, fault),
      again: (fault, count, periodMs) => log.error({ count, periodMs }, `again: ${fault}`),
    });
    closers.push('faults', () => faults.close());
    const readiness = (journal: EpisodeJournal) => this.#readiness(journal);
    const cameras = () => this.#cameraEvents();
    const common = { config, clock, metrics, faults, log, closers };
    const publishing = await openPublishing({ ...common, readiness, cameras });
    this.#url = publishing.http.url;
    metrics.setReadyReader(() => this.#readiness(publishing.journal).status !== 'not_ready');
    const inference = await openInference(common);
    this.#inference = inference;

    const leftOpen = await publishing.journal.closeLeftOpen();
    if (leftOpen > 0) log.warn({ count: leftOpen }, 'closed the episodes that an earlier run left open');

    const stats = new LiveStats(clock);
    const newEpisodeId = createEpisodeIdGenerator();
    const gate = new StartGate(config.ingest.maxStarting);
    metrics.addQueue('starts', config.cameras.length, () => gate.stats().waiting);
    const logins = new LoginRegister({ clock, ...loginLimits(config.ingest) });
    const shared: Shared = {
      ffmpegs,
      gate,
      logins,
      metrics,
      faults,
      stats,
      inference,
      publishing,
      newEpisodeId,
    };
    // Opened last, stopped first: whatever the cameras lead to must still be there.
    const withinMs = config.ingest.killAfterSeconds * 1000 + CAMERAS_CLOSE_MS;
    closers.push('cameras', () => this.#stopCameras(), withinMs);
    for (const camera of config.cameras)
      await this.#addCamera(config, effectiveCamera(config, camera), shared);
    for (const { runtime } of this.#cameras.values()) runtime?.start();
    const timer = clock.every(STATS_PERIOD_MS, () => this.#tellStats(shared));
    closers.push('stats', () => timer[Symbol.dispose]());
  }

  async #addCamera(
    config: LoadedConfig,
    camera: EffectiveCamera<LoadedCamera>,
    shared: Shared,
  ): Promise<void> {
    const { metrics, stats, inference, publishing } = shared;
    const { bus, journal, gateway, pictures } = publishing;
    const clock = this.#clock;
    const output: PipelineOutput = {
      analysed: (frame, faces) => {
        const { cameraId, frameId, capturedAtMs, sourceWidth, sourceHeight } = frame;
        for (const face of faces) metrics.face(cameraId, face.outcome, face.reason);
        bus.publish('detections', { cameraId, frameId, capturedAtMs, sourceWidth, sourceHeight, faces });
        const latencyMs = clock.monotonicMs() - frame.monotonicMs;
        metrics.frameAnalysed(cameraId, latencyMs);
        stats.analysed(cameraId, faces.length, latencyMs);
        if (gateway.hasPictureViewers(cameraId)) pictures.offer(frame);
      },
      episodes: (changes) => {
        for (const change of changes) journal.record(change);
      },
    };
    metrics.addCamera(camera.id);
    if (!camera.enabled) metrics.cameraState(camera.id, 'disabled');
    const runtime = camera.enabled
      ? assembleCamera({
          ...{ config, camera, clock, output, metrics, stats },
          ...{
            binary: await shared.ffmpegs.choose({
              url: camera.subUrl ?? camera.url,
              decoding: camera.decoding,
            }),
            gate: shared.gate,
            logins: shared.logins,
            newEpisodeId: shared.newEpisodeId,
          },
          ...{ detector: inference.detector, classifier: inference.classifier },
          faults: shared.faults,
          log: cameraLog(this.#log, camera.id),
          onStatus: (status) => {
            metrics.cameraState(camera.id, status.state);
            bus.publish('camera', { name: camera.name, status });
          },
        })
      : null;
    this.#cameras.set(camera.id, { config: camera, runtime, addedAtMs: clock.wallMs() });
  }

  #tellStats({ metrics, stats, inference, publishing }: Shared): void {
    const cameras = this.#cameraEvents();
    for (const { status } of cameras)
      if (status.state === 'live' && status.timing) metrics.cameraTiming(status.cameraId, status.timing);
    const payload = stats.take({
      states: new Map(cameras.map(({ status }) => [status.cameraId, status.state])),
      openEpisodes: publishing.openEpisodes(),
      engine: inference.engine,
    });
    metrics.degraded(payload.isDegraded);
    publishing.bus.publish('stats', payload);
  }

  #cameraEvents(): CameraEvent[] {
    return [...this.#cameras.values()].map(({ config, runtime, addedAtMs }) => ({
      name: config.name,
      status: runtime?.status ?? {
        ...{ cameraId: config.id, state: 'disabled', reason: 'configuration' },
        ...{ sinceMs: addedAtMs, lastFrameAgeMs: null, restarts: 0 },
      },
    }));
  }

  #readiness(journal: EpisodeJournal) {
    return assessReadiness({
      isModelLoaded: this.#inference !== null,
      workersReady: this.#inference?.workersReady() ?? 0,
      isClosing: this.#closers.isClosing,
      cameraStates: [...this.#cameras.values()].flatMap(({ runtime }) => runtime?.status.state ?? []),
      storeFailure: journal.failure?.message ?? null,
      pendingEpisodeChanges: journal.pendingCount,
    });
  }

  async #stopCameras(): Promise<void> {
    const runtimes = [...this.#cameras.values()].flatMap(({ runtime }) => runtime ?? []);
    await Promise.all(runtimes.map((runtime) => runtime.stop()));
  }

  /**
   * Closes everything, last opened first. Idempotent; a part that fails is logged and the rest goes on. If one does
   * not close in its time (a model's run that hangs), the process is ended soon after.
   */
  async close(): Promise<void> {
    await this.#closers.close();
    if (this.#closers.leftBehind.length > 0) endProcessSoon(LEFT_BEHIND_MS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
