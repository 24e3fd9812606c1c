import type { CropRequest } from '../../workers/protocol.js';
import type { ClassificationOutcome } from '../classification/mask-classifier.js';
import { assessCrop, type CropThresholds } from '../crops/assess-crop.js';
import type { CropCandidate, CropSelector } from '../crops/crop-selector.js';
import type { DecisionMaker } from '../decision/decision-maker.js';
import type { DetectionOutcome } from '../detection/face-detector.js';
import { scaleBox } from '../domain/box.js';
import type { FaceCrop } from '../domain/crop.js';
import type { EpisodeChange, EpisodeCloseReason } from '../domain/episode.js';
import type { CropAssessment, FaceVerdict, MaskPrediction } from '../domain/face.js';
import { type Frame, sourceScale } from '../domain/frame.js';
import type { PictureStatistics } from '../domain/picture.js';
import type { PipelineStage } from '../domain/stage.js';
import type { FrameDropReason } from '../ingest/frame-source.js';
import type { Clock } from '../lib/clock.js';
import type { FaceTracker } from '../tracking/face-tracker.js';
import { LatestFrameSlot } from './latest-frame-slot.js';

/** Where the path tells what it found. Calls return at once; they must not throw. */
export interface PipelineOutput {
  /** The frame is the pipeline's: call `retain()` to use its pixels after the call. */
  analysed(frame: Frame, faces: readonly FaceVerdict[]): void;
  episodes(changes: readonly EpisodeChange[]): void;
}

/** What is measured on the path; all times in ms. */
export interface PipelineObserver {
  dropped(reason: FrameDropReason): void;
  /** The analysis of a frame threw: a fault of ours. The frame is dropped, the next one is analysed. */
  failed(error: unknown): void;
  /** Age of a frame as it enters a stage, counted from ffmpeg. */
  frameAge(stage: PipelineStage, ageMs: number): void;
  stageDuration(stage: PipelineStage, durationMs: number): void;
  tracks(count: number): void;
  /** Tracks that turned out to show no face; each is told once. */
  rejected(count: number): void;
}

/** Looks at how the pictures are; see ingest/picture-health.ts. */
export interface PictureWatch {
  /** Takes what was measured of a frame. @returns whether faces can be judged on it. */
  observe(statistics: PictureStatistics, frame: Pick<Frame, 'monotonicMs' | 'capturedAtMs'>): boolean;
}

export interface CameraPipelineOptions {
  readonly cameraId: string;
  readonly clock: Clock;
  readonly detector: { detect(frame: Frame): Promise<DetectionOutcome> };
  readonly tracker: FaceTracker;
  readonly cropThresholds: CropThresholds;
  readonly selector: CropSelector;
  readonly classifier: { classify(crops: readonly CropRequest[]): Promise<readonly ClassificationOutcome[]> };
  readonly decisions: DecisionMaker;
  /** Default: every picture is taken for a good one. */
  readonly pictures?: PictureWatch;
  readonly output: PipelineOutput;
  readonly observer: PipelineObserver;
}

/**
 * The path of one camera, in the order in which its data travels:
 * frames → faces → tracks → crops → predictions → decisions → published changes.
 *
 * One frame at a time goes along it; meanwhile the newest one waits in a slot of one. As every camera has at
 * most one frame in the inference pool, and the pool serves in the order of arrival, every camera gets the
 * same share when there is more to do than can be done, and a slow camera holds up nobody else.
 */
export class CameraPipeline {
  readonly #options: CameraPipelineOptions;
  readonly #slot: LatestFrameSlot;

  constructor(options: CameraPipelineOptions) {
    this.#options = options;
    this.#slot = new LatestFrameSlot(() => options.observer.dropped('stale'));
  }

  /** Takes over the caller's hold of a frame that has just left ffmpeg. Never blocks. */
  offer(frame: Frame): void {
    this.#slot.put(frame);
  }

  /** Analyses frames until `signal` aborts; the frame in hand is finished first. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const frame = await this.#slot.take(signal);
      if (!frame) break;
      try {
        await this.analyse(frame);
      } catch (error) {
        // One frame must not end the camera's watch.
        this.#options.observer.dropped('failed');
        this.#options.observer.failed(error);
      } finally {
        frame.release();
      }
    }
    if (this.#slot.clear()) this.#options.observer.dropped('closing');
  }

  /**
   * Takes one frame along the path; the caller keeps its hold and waits before it gives the next. For recordings,
   * where no frame may be left out; live frames come by {@link offer}.
   */
  async analyse(frame: Frame): Promise<void> {
    const { tracker, decisions, selector, output, observer } = this.#options;
    this.#enter('detection', frame);
    const detection = await this.#timed('detection', () => this.#options.detector.detect(frame));
    if (!detection.ok) {
      observer.dropped('failed');
      return;
    }
    const { statistics } = detection;
    if (statistics && this.#options.pictures?.observe(statistics, frame) === false) {
      this.#passOver(frame);
      return;
    }

    this.#enter('tracking', frame);
    const tracks = this.#timedSync('tracking', () => tracker.update(detection.faces, frame.monotonicMs));
    observer.tracks(tracks.tracks.length);
    for (const trackId of tracks.endedTrackIds) selector.forget(trackId);

    this.#enter('crops', frame);
    const { candidates, crops } = this.#timedSync('crops', () => {
      const candidates = this.#assess(tracks.tracks, frame);
      return { candidates, crops: selector.select(candidates, decisions.decisions, frame.monotonicMs) };
    });
    this.#enter('classification', frame);
    const predictions = await this.#timed('classification', () => this.#classify(crops, frame));

    this.#enter('decision', frame);
    const assessments = new Map<number, CropAssessment>(
      candidates.map(({ track, assessment }) => [track.trackId, assessment]),
    );
    const { verdicts, changes, rejectedCount } = this.#timedSync('decision', () =>
      decisions.update({
        tracks,
        assessments,
        predictions,
        frameWidth: frame.sourceWidth,
        frameHeight: frame.sourceHeight,
        monotonicMs: frame.monotonicMs,
        wallMs: frame.capturedAtMs,
      }),
    );

    if (rejectedCount > 0) observer.rejected(rejectedCount);

    this.#enter('publish', frame);
    // A face seen once may be a false alarm of the detector: it is shown once its track is confirmed, and as long as
    // the classifier does not say that it is none.
    const shown = candidates.flatMap(({ track }) => verdicts.get(track.trackId) ?? []);
    this.#timedSync('publish', () => {
      output.analysed(frame, shown);
      if (changes.length > 0) output.episodes(changes);
    });
  }

  /**
   * A frame on which nobody can be judged (frozen, black, …) counts for decisions as one that never came: what is open is
   * held, then closed as with a lost camera. Stale is not compliant. It is shown all the same, without faces.
   */
  #passOver(frame: Frame): void {
    const { output, observer } = this.#options;
    observer.tracks(0);
    this.#enter('publish', frame);
    this.#timedSync('publish', () => output.analysed(frame, []));
  }

  /** Confirmed faces of this frame, with whether and how well each can be judged. */
  #assess(tracks: readonly CropCandidate['track'][], frame: Frame): CropCandidate[] {
    const geometry = {
      frameWidth: frame.sourceWidth,
      frameHeight: frame.sourceHeight,
      sourceScale: sourceScale(frame),
    };
    return tracks.flatMap((track) =>
      track.detection && track.state === 'confirmed'
        ? [{ track, assessment: assessCrop(track.detection, geometry, this.#options.cropThresholds) }]
        : [],
    );
  }

  /** Predictions of the crops that could be classified; a failed one is simply missing (whoever runs the model counts it). */
  async #classify(crops: readonly FaceCrop[], frame: Frame): Promise<MaskPrediction[]> {
    if (crops.length === 0) return [];
    const toBuffer = 1 / sourceScale(frame);
    const outcomes = await this.#options.classifier.classify(
      crops.map(({ box, detectionScore, rollDegrees }) => ({
        pixels: frame.pixels,
        box: scaleBox(box, toBuffer),
        detectionScore,
        rollDegrees,
      })),
    );
    return crops.flatMap((crop, index) => {
      const outcome = outcomes[index];
      if (!outcome?.ok) return [];
      const { scores, faceScore } = outcome;
      const { trackId, quality } = crop;
      return [{ trackId, quality, scores, faceScore, monotonicMs: frame.monotonicMs }];
    });
  }

  /** What time alone changes: call it about once a second. */
  tick(): void {
    const { clock, decisions, output } = this.#options;
    const changes = decisions.tick({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
    if (changes.length > 0) output.episodes(changes);
  }

  /** Closes what is open, e.g. before the service ends. */
  closeEpisodes(reason: EpisodeCloseReason): void {
    const { clock, decisions, output } = this.#options;
    const changes = decisions.closeAll(reason, { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
    if (changes.length > 0) output.episodes(changes);
  }

  #enter(stage: PipelineStage, frame: Frame): void {
    this.#options.observer.frameAge(stage, this.#options.clock.monotonicMs() - frame.monotonicMs);
  }

  async #timed<T>(stage: PipelineStage, work: () => Promise<T>): Promise<T> {
    const startMs = this.#options.clock.monotonicMs();
    const result = await work();
    this.#options.observer.stageDuration(stage, this.#options.clock.monotonicMs() - startMs);
    return result;
  }

  #timedSync<T>(stage: PipelineStage, work: () => T): T {
    const startMs = this.#options.clock.monotonicMs();
    const result = work();
    this.#options.observer.stageDuration(stage, this.#options.clock.monotonicMs() - startMs);
    return result;
  }
}
