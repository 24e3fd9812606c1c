import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import sharp from 'sharp';
import type { FaceDetection } from '../../src/domain/face.js';
import { readManifest } from '../../src/inference/manifest.js';
import { OnnxRuntimeEngine } from '../../src/inference/onnxruntime-engine.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { FaceFinder } from '../../workers/face-finder.js';

/** Interleaved 8-bit pixels, 1, 3 or 4 channels. */
export interface RawPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

const WIDTH = 1280;
const HEIGHT = 720;
/** The detector's input for a whole frame: multiples of 32. */
const DETECTOR_HEIGHT = 736;
const THUMB_WIDTH = 64;
const THUMB_HEIGHT = 36;
/** Faces that the detector is this sure of, at full size, are the truth. */
const TRUTH_SCORE = 0.35;

/**
 * Where the faces of a 1280×720 clip are, found apart from the service: another ffmpeg run, every frame, the
 * detector at full size. A picture that the service sent is placed in the clip by what it shows, not by any
 * clock or counter of the service.
 */
export class FootageTruth {
  readonly #file: string;
  readonly #ffmpegPath: string;
  /** One a frame. */
  readonly #thumbs: readonly Uint8Array[];

  private constructor(file: string, ffmpegPath: string, thumbs: readonly Uint8Array[]) {
    this.#file = file;
    this.#ffmpegPath = ffmpegPath;
    this.#thumbs = thumbs;
  }

  /** Knows the first `frameCount` frames of the clip: of one that repeats itself the first round is enough. */
  static async open(file: string, ffmpegPath: string, frameCount: number): Promise<FootageTruth> {
    const thumbs: Uint8Array[] = [];
    await decode(file, ffmpegPath, {
      filters: ['-vf', `scale=${THUMB_WIDTH}:${THUMB_HEIGHT}:flags=area,format=gray`, '-pix_fmt', 'gray'],
      frameBytes: THUMB_WIDTH * THUMB_HEIGHT,
      frameCount,
      onFrame: (frame) => void thumbs.push(Uint8Array.from(frame)),
    });
    return new FootageTruth(file, ffmpegPath, thumbs);
  }

  /**
   * The frame that looks most like `picture`, which must show the whole frame; `difference` is the mean difference
   * of grey values.
   */
  match(picture: RawPicture): { frame: number; difference: number } {
    const thumb = thumbnail(picture);
    let best = { frame: -1, difference: Number.POSITIVE_INFINITY };
    for (const [frame, candidate] of this.#thumbs.entries()) {
      let sum = 0;
      for (let i = 0; i < thumb.length; i++) sum += Math.abs(thumb[i]! - candidate[i]!);
      const difference = sum / thumb.length;
      if (difference < best.difference) best = { frame, difference };
    }
    return best;
  }

  /** Faces of these frames, boxes in pixels of the 1280×720 frame. */
  async faces(frames: Iterable<number>): Promise<Map<number, readonly FaceDetection[]>> {
    const wanted = new Set(frames);
    const found = new Map<number, readonly FaceDetection[]>();
    const finder = await openFinder();
    try {
      let index = 0;
      await decode(this.#file, this.#ffmpegPath, {
        filters: ['-pix_fmt', 'rgb24'],
        frameBytes: WIDTH * HEIGHT * 3,
        frameCount: this.#thumbs.length,
        onFrame: async (data) => {
          if (wanted.has(index)) found.set(index, await finder.find(data));
          index += 1;
        },
      });
    } finally {
      await finder.close();
    }
    return found;
  }
}

/** The detector on whole frames, rgb24. */
async function openFinder(): Promise<{
  find(frame: Uint8Array): Promise<readonly FaceDetection[]>;
  close(): Promise<void>;
}> {
  const engine = await OnnxRuntimeEngine.open({ threads: 1 });
  const folder = join(modelsDir(), 'yunet-n');
  const model = await engine.load(folder);
  const finder = new FaceFinder(model, await readManifest(folder), WIDTH, DETECTOR_HEIGHT);
  return {
    find: async (frame) => {
      const buffer = new SharedArrayBuffer(frame.byteLength);
      new Uint8Array(buffer).set(frame);
      const size = { width: WIDTH, height: HEIGHT, contentWidth: WIDTH, contentHeight: HEIGHT };
      const pixels = { buffer, byteOffset: 0, ...size };
      return (await finder.detect({ kind: 'detect', pixels, scoreThreshold: TRUTH_SCORE })).faces;
    },
    close: async () => {
      await model.close();
      await engine.close();
    },
  };
}

/** A JPEG or PNG as pixels, three channels. */
export async function decodePicture(encoded: Uint8Array): Promise<RawPicture> {
  const { data, info } = await sharp(encoded).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** Mean grey of each cell of a 64×36 grid. */
function thumbnail({ data, width, height, channels }: RawPicture): Uint8Array {
  const sums = new Float64Array(THUMB_WIDTH * THUMB_HEIGHT);
  const counts = new Uint32Array(sums.length);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * THUMB_HEIGHT) / height) * THUMB_WIDTH;
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels;
      const cell = row + Math.floor((x * THUMB_WIDTH) / width);
      sums[cell]! += 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
      counts[cell]! += 1;
    }
  }
  return Uint8Array.from(sums, (sum, cell) => Math.round(sum / Math.max(1, counts[cell]!)));
}

async function decode(
  file: string,
  ffmpegPath: string,
  options: {
    filters: string[];
    frameBytes: number;
    frameCount: number;
    onFrame: (frame: Buffer) => void | Promise<void>;
  },
): Promise<void> {
  const child = spawn(
    ffmpegPath,
    [
      ...['-v', 'error', '-nostdin', '-i', file, ...options.filters, '-vsync', '0'],
      ...['-frames:v', String(options.frameCount), '-f', 'rawvideo', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const closed = once(child, 'close');
  const frame = Buffer.allocUnsafe(options.frameBytes);
  let filled = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(frame, filled, at);
      at += copied;
      filled += copied;
      if (filled < options.frameBytes) continue;
      filled = 0;
      await options.onFrame(frame);
    }
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg could not decode ${file}: ended with ${code}`);
}
