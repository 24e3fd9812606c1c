import { MaskClassifier } from '../classification/mask-classifier.js';
import type { CropThresholds } from '../crops/assess-crop.js';
import { CropSelector } from '../crops/crop-selector.js';
import { DecisionMaker } from '../decision/decision-maker.js';
import { createEpisodeIdGenerator } from '../decision/episode-id.js';
import { FaceDetector } from '../detection/face-detector.js';
import type { Frame } from '../domain/frame.js';
import type { InferencePool } from '../inference/inference-pool.js';
import type { FfmpegBinary } from '../ingest/ffmpeg-binary.js';
import { FileSource } from '../ingest/file-source.js';
import { systemClock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import { CameraPipeline } from '../pipeline/camera-pipeline.js';
import { FaceTracker } from '../tracking/face-tracker.js';
import { type DetectionLine, toDetectedFace } from './detection-line.js';

export interface VideoRules {
  readonly rateFps: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly crop: CropThresholds;
  readonly tracker: { readonly highScore: number; readonly lowScore: number; readonly maxLostMs: number };
  readonly recheckMs: number;
  /** See DecisionMakerOptions. */
  readonly minFaceScore: number;
}

/**
 * Takes a recorded video along the path of a camera, in the video's own time, and tells each analysed frame.
 * `onFrame` may keep the frame's pixels until its promise settles; the next frame waits for it.
 * Throws `AppError` VIDEO_UNREADABLE or INFERENCE_FAILED, or the signal's reason.
 */
export async function detectVideo(
  path: string,
  options: {
    readonly pool: InferencePool;
    readonly binary: FfmpegBinary;
    readonly rules: VideoRules;
    readonly signal: AbortSignal;
    readonly onFrame: (line: DetectionLine, frame: Frame) => Promise<void>;
  },
): Promise<{ frames: number }> {
  const { pool, binary, rules, signal, onFrame } = options;
  let current: DetectionLine | null = null;
  let index = 0;
  let failed = false;
  const classifier = new MaskClassifier({
    clock: systemClock,
    classifyBatch: (crops) => pool.classify(crops),
    // One video: waiting for other cameras' crops would only cost time.
    ...{ maxBatch: 8, maxBatchAgeMs: 0, maxRunning: pool.workers },
  });
  const pipeline = new CameraPipeline({
    cameraId: path,
    clock: systemClock,
    detector: new FaceDetector(pool, { scoreThreshold: rules.tracker.lowScore }),
    // Each frame of a recording is told in full: a face counts from its first frame.
    tracker: new FaceTracker({ ...rules.tracker, confirmHits: 1 }),
    cropThresholds: rules.crop,
    selector: new CropSelector({ recheckMs: rules.recheckMs, maxCropsPerFrame: 64 }),
    classifier,
    decisions: new DecisionMaker({
      cameraId: path,
      newEpisodeId: createEpisodeIdGenerator(),
      minFaceScore: rules.minFaceScore,
      policy: {
        labels: [],
        ...{ openThreshold: 1, closeThreshold: 0, minDurationMs: 0, graceMs: 0 },
        ...{ zones: [], schedule: [], timeZone: 'UTC' },
      },
    }),
    output: {
      analysed: (frame, faces) => {
        const { sourceWidth: width, sourceHeight: height, monotonicMs: timeMs } = frame;
        current = { file: path, frame: index, timeMs, width, height, faces: faces.map(toDetectedFace) };
      },
      episodes: () => {},
    },
    observer: {
      dropped: () => {
        failed = true;
      },
      failed: () => {},
      ...{ frameAge: () => {}, stageDuration: () => {}, tracks: () => {}, rejected: () => {} },
    },
  });

  const source = new FileSource({
    cameraId: path,
    path,
    analysis: { rateFps: rules.rateFps, widthPx: rules.widthPx, heightPx: rules.heightPx },
    binary,
    clock: systemClock,
  });
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  // Frames are analysed one after the other; the source waits while all its buffers are held.
  let work: Promise<void> = Promise.resolve();
  let problem: unknown = null;
  const analyse = async (frame: Frame) => {
    try {
      if (problem !== null || stop.signal.aborted) return;
      await pipeline.analyse(frame);
      if (failed)
        throw new AppError('INFERENCE_FAILED', `a frame of ${path} could not be analysed`, { path });
      if (current) await onFrame(current, frame);
      index += 1;
    } catch (error) {
      problem ??= error;
      stop.abort();
    } finally {
      frame.release();
    }
  };
  try {
    const end = await source.run(
      {
        frame: (frame) => {
          work = work.then(() => analyse(frame));
        },
        dropped: () => {},
      },
      stop.signal,
    );
    await work;
    signal.throwIfAborted();
    if (problem !== null) throw problem;
    if (end.reason !== 'end_of_file' || index === 0)
      throw new AppError('VIDEO_UNREADABLE', `${path} is not a video that can be read: ${end.message}`, {
        path,
      });
    return { frames: index };
  } finally {
    signal.removeEventListener('abort', onAbort);
    await classifier.close();
  }
}
