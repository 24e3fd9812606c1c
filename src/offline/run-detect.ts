import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { SINGLE_CROP_MIN_CERTAINTY } from '../classification/single-crop.js';
import { configSchema } from '../config/schema.js';
import { InferencePool } from '../inference/inference-pool.js';
import { findFfmpeg } from '../ingest/ffmpeg-binary.js';
import { AppError } from '../lib/errors.js';
import { modelsDir } from '../lib/package-paths.js';
import { annotate, contactSheet } from './annotate.js';
import { detectPicture } from './detect-picture.js';
import { detectVideo } from './detect-video.js';
import type { DetectionLine, FailedLine } from './detection-line.js';
import { listMedia, type MediaFile } from './media-files.js';

export interface DetectOptions {
  readonly paths: readonly string[];
  /** Analysed frames per second of a video. */
  readonly rateFps: number;
  /** Folder under models/. */
  readonly model: string;
  readonly engine: 'auto' | 'onnxruntime' | 'tfjs';
  /** Where pictures with boxes and contact sheets go; created when missing. */
  readonly outDir?: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: DetectionLine | FailedLine) => void;
  /** Files done so far, and what the present one is at. */
  readonly onProgress?: (done: number, total: number, note: string) => void;
}

export interface DetectSummary {
  readonly files: number;
  readonly failed: number;
  readonly sheets: readonly string[];
}

/** Square, so that upright and wide pictures fare alike. */
const DETECTOR_PX = 640;
const SHEET_PICTURES = 40;

/**
 * Finds and judges the faces in pictures and videos. A file that cannot be read becomes a line with `error`,
 * the others go on. Throws `AppError` FILE_NOT_FOUND, FFMPEG_NOT_FOUND or what the pool's start throws.
 */
export async function runDetect(options: DetectOptions): Promise<DetectSummary> {
  const { signal, onLine, onProgress, outDir } = options;
  const media = await listMedia(options.paths);
  if (media.length === 0)
    throw new AppError('FILE_NOT_FOUND', 'there is no picture or video in what was named', { exitCode: 2 });
  if (outDir) await mkdir(outDir, { recursive: true });
  const config = configSchema.parse({});
  const workers = Math.min(8, availableParallelism());
  const pool = await InferencePool.open({
    workers,
    maxQueue: 64,
    measureBatchSizes: [],
    workerOptions: {
      engine: options.engine,
      detectorModelDir: join(modelsDir(), config.detection.model),
      classifierModelDir: join(modelsDir(), options.model),
      detectorWidth: DETECTOR_PX,
      detectorHeight: DETECTOR_PX,
      threadsPerWorker: 1,
    },
  });
  const sheet = new SheetWriter(outDir);
  let failed = 0;
  try {
    for (const [done, file] of media.entries()) {
      signal.throwIfAborted();
      onProgress?.(done, media.length, basename(file.path));
      try {
        if (file.kind === 'picture') await picture(file);
        else
          await video(file, (frames) =>
            onProgress?.(done, media.length, `${basename(file.path)} frame ${frames}`),
          );
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failed += 1;
        onLine({ file: file.path, error: { code: error.code, message: error.message } });
      }
    }
    return { files: media.length, failed, sheets: await sheet.finish() };
  } finally {
    await pool.close();
  }

  async function picture(file: MediaFile): Promise<void> {
    const { line, pixels } = await detectPicture(file.path, pool, {
      crop: config.classification,
      scoreThreshold: config.detection.scoreThreshold,
      minCertainty: SINGLE_CROP_MIN_CERTAINTY,
      minFaceScore: config.classification.minFaceScore,
      analysedPx: DETECTOR_PX,
    });
    onLine(line);
    if (outDir) await sheet.add(basename(file.path), await annotate(pixels, line));
  }

  async function video(file: MediaFile, onFrameDone: (frames: number) => void): Promise<void> {
    const every = Math.max(1, Math.round(options.rateFps));
    await detectVideo(file.path, {
      pool,
      signal,
      binary: await findFfmpeg(),
      rules: {
        rateFps: options.rateFps,
        ...{ widthPx: DETECTOR_PX, heightPx: DETECTOR_PX, crop: config.classification },
        tracker: {
          highScore: config.detection.scoreThreshold,
          lowScore: config.detection.lowScoreThreshold,
          maxLostMs: config.tracking.maxLostSeconds * 1000,
        },
        recheckMs: config.classification.recheckSeconds * 1000,
        minFaceScore: config.classification.minFaceScore,
      },
      onFrame: async (line, frame) => {
        onLine(line);
        onFrameDone(line.frame + 1);
        // A picture of each second tells enough; all of them would fill a disk.
        if (outDir && line.frame % every === 0)
          await sheet.add(
            `${basename(file.path)}-${String(line.frame).padStart(5, '0')}.jpg`,
            await annotate(frame.pixels, line),
          );
      },
    });
  }
}

/** Writes each annotated picture, and contact sheets of {@link SHEET_PICTURES} of them at a time. */
class SheetWriter {
  readonly #outDir: string | undefined;
  #waiting: Buffer[] = [];
  readonly #sheets: string[] = [];

  constructor(outDir: string | undefined) {
    this.#outDir = outDir;
  }

  async add(name: string, jpeg: Buffer): Promise<void> {
    if (!this.#outDir) return;
    await writeFile(join(this.#outDir, name.endsWith('.jpg') ? name : `${name}.jpg`), jpeg);
    this.#waiting.push(jpeg);
    if (this.#waiting.length >= SHEET_PICTURES) await this.#write();
  }

  async finish(): Promise<readonly string[]> {
    if (this.#waiting.length > 0) await this.#write();
    return this.#sheets;
  }

  async #write(): Promise<void> {
    const name = join(this.#outDir ?? '.', `sheet-${String(this.#sheets.length + 1).padStart(3, '0')}.jpg`);
    await writeFile(name, await contactSheet(this.#waiting));
    this.#sheets.push(name);
    this.#waiting = [];
  }
}
