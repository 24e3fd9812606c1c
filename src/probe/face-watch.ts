import { MaskClassifier } from '../classification/mask-classifier.js';
import { assessCrop, type CropThresholds } from '../crops/assess-crop.js';
import { CropSelector } from '../crops/crop-selector.js';
import { pitchDegrees, yawDegrees } from '../crops/head-pose.js';
import { regionLuma } from '../crops/region-luma.js';
import { DecisionMaker } from '../decision/decision-maker.js';
import { createEpisodeIdGenerator } from '../decision/episode-id.js';
import { FaceDetector } from '../detection/face-detector.js';
import { clipBox, iou, scaleBox } from '../domain/box.js';
import type { CameraCondition } from '../domain/camera.js';
import type { FaceDetection, FaceVerdict } from '../domain/face.js';
import { type Frame, type PixelBuffer, sourceScale } from '../domain/frame.js';
import type { InferencePool } from '../inference/inference-pool.js';
import { PictureHealth, type PictureHealthOptions } from '../ingest/picture-health.js';
import { systemClock } from '../lib/clock.js';
import type { RgbSource } from '../lib/resample.js';
import { CameraPipeline } from '../pipeline/camera-pipeline.js';
import { FaceTracker, type FaceTrackerOptions } from '../tracking/face-tracker.js';
import { FaceReadings, type FaceSummary } from './face-readings.js';

export interface FaceWatchOptions {
  readonly pool: InferencePool;
  readonly cameraId: string;
  readonly tracker: FaceTrackerOptions;
  readonly crop: CropThresholds;
  readonly recheckMs: number;
  /** See DecisionMakerOptions. */
  readonly minFaceScore: number;
  readonly pictures: PictureHealthOptions;
}

/** What the pictures of a stream showed. */
export interface WatchedPictures {
  readonly faces: FaceSummary | null;
  readonly analysedCount: number;
  /** Frames that the machine had no time for, or whose analysis failed. */
  readonly droppedCount: number;
  readonly failedCount: number;
  /** Mean over all pictures: mean luminance, 0…255, and standard deviation over its parts; `null` of none. */
  readonly light: { readonly luma: number; readonly spread: number } | null;
  /** What was wrong with pictures at any time, see docs/picture-health.md. */
  readonly conditions: readonly CameraCondition[];
  /** Size of the newest analysed picture's content, pixels. */
  readonly analysed: { readonly width: number; readonly height: number } | null;
}

/** One stream has faces for the workers, and nobody waits for the crops of others. */
const BATCH = { maxBatch: 8, maxBatchAgeMs: 0 };
const MAX_CROPS_PER_FRAME = 16;

/** Takes frames along the path of a camera and keeps what can be measured of faces and pictures. */
export class FaceWatch {
  readonly #options: FaceWatchOptions;
  readonly #pipeline: CameraPipeline;
  readonly #classifier: MaskClassifier;
  readonly #readings = new FaceReadings();
  readonly #health: PictureHealth;
  readonly #conditions = new Set<CameraCondition>();
  #found: readonly FaceDetection[] = [];
  #analysedCount = 0;
  #droppedCount = 0;
  #failedCount = 0;
  #lumaSum = 0;
  #spreadSum = 0;
  #pictureCount = 0;
  #analysed: WatchedPictures['analysed'] = null;

  constructor(options: FaceWatchOptions) {
    const { pool, cameraId, tracker, crop, recheckMs, minFaceScore } = options;
    this.#options = options;
    this.#health = new PictureHealth(options.pictures);
    this.#classifier = new MaskClassifier({
      clock: systemClock,
      classifyBatch: (crops) => pool.classify(crops),
      ...{ ...BATCH, maxRunning: pool.workers },
    });
    const detector = new FaceDetector(pool, { scoreThreshold: tracker.lowScore, wantsStatistics: true });
    this.#pipeline = new CameraPipeline({
      cameraId,
      clock: systemClock,
      detector: {
        detect: async (frame) => {
          const outcome = await detector.detect(frame);
          this.#found = outcome.ok ? outcome.faces : [];
          return outcome;
        },
      },
      tracker: new FaceTracker(tracker),
      cropThresholds: crop,
      selector: new CropSelector({ recheckMs, maxCropsPerFrame: MAX_CROPS_PER_FRAME }),
      classifier: this.#classifier,
      decisions: new DecisionMaker({
        cameraId,
        newEpisodeId: createEpisodeIdGenerator(),
        minFaceScore,
        policy: {
          labels: [],
          ...{ openThreshold: 1, closeThreshold: 0, minDurationMs: 0, graceMs: 0 },
          ...{ zones: [], schedule: [], timeZone: 'UTC' },
        },
      }),
      pictures: {
        observe: (statistics, { monotonicMs, capturedAtMs }) => {
          this.#pictureCount += 1;
          this.#lumaSum += statistics.meanLuma;
          this.#spreadSum += Math.sqrt(statistics.gridVariance);
          const at = { monotonicMs, wallMs: capturedAtMs };
          for (const { condition, isOn } of this.#health.observe(statistics, at))
            if (isOn) this.#conditions.add(condition);
          // Faces are measured all the same: somebody asks how the place is, and may be about to clean the lens.
          return true;
        },
      },
      output: { analysed: (frame, faces) => this.#note(frame, faces), episodes: () => {} },
      observer: {
        dropped: (reason) => {
          if (reason === 'failed') this.#failedCount += 1;
          else if (reason !== 'closing') this.#droppedCount += 1;
        },
        failed: () => {},
        ...{ frameAge: () => {}, stageDuration: () => {}, tracks: () => {}, rejected: () => {} },
      },
    });
  }

  /** Takes over the caller's hold. */
  offer(frame: Frame): void {
    this.#pipeline.offer(frame);
  }

  /** Analyses what is offered until `signal` aborts; resolves when nothing of it is under way. */
  async run(signal: AbortSignal): Promise<WatchedPictures> {
    try {
      await this.#pipeline.run(signal);
    } finally {
      await this.#classifier.close();
    }
    const pictures = this.#pictureCount;
    return {
      faces: this.#readings.summary(this.#analysedCount),
      analysedCount: this.#analysedCount,
      droppedCount: this.#droppedCount,
      failedCount: this.#failedCount,
      light: pictures === 0 ? null : { luma: this.#lumaSum / pictures, spread: this.#spreadSum / pictures },
      conditions: [...this.#conditions],
      analysed: this.#analysed,
    };
  }

  #note(frame: Frame, faces: readonly FaceVerdict[]): void {
    this.#analysedCount += 1;
    const { contentWidth: width, contentHeight: height } = frame.pixels;
    this.#analysed = { width, height };
    const scale = sourceScale(frame);
    const picture = pictureOf(frame.pixels);
    const geometry = {
      frameWidth: frame.sourceWidth,
      frameHeight: frame.sourceHeight,
      sourceScale: scale,
    };
    for (const { trackId, box } of faces) {
      // The verdict tells less than the detector knew.
      const face = this.#found.find((found) => iou(found.box, box) > 0.99);
      const inside = clipBox(scaleBox(box, 1 / scale), width, height);
      if (!face || inside.width < 1 || inside.height < 1) continue;
      const luma = regionLuma(picture, inside);
      this.#readings.add({
        trackId,
        widthPx: box.width,
        analysedPx: Math.min(box.width, box.height) / scale,
        yawDegrees: yawDegrees(face.landmarks),
        pitchDegrees: pitchDegrees(face.landmarks),
        luma: luma.mean,
        lumaSpread: luma.spread,
        sharpness: face.sharpness,
        assessment: assessCrop(face, geometry, this.#options.crop),
      });
    }
  }
}

function pictureOf({ buffer, byteOffset, ...size }: PixelBuffer): RgbSource {
  return { data: new Uint8Array(buffer, byteOffset, size.width * size.height * 3), ...size };
}
