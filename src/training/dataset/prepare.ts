import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import type { MaskLabel } from '../../domain/label.js';
import { type FaceFinder, findPortraitFace } from './face-finder.js';
import { type Fingerprint, fingerprintPicture } from './fingerprint.js';
import { matchBoxes } from './match-boxes.js';
import type { LabelledPicture } from './picture.js';
import { type RgbPicture, readRgbPicture } from './rgb-picture.js';

/** A labelled face as the detector delivers it. */
export interface PreparedFace {
  readonly label: MaskLabel;
  /** The detector's box; the label's own where the detector found none there. Pixels of the picture. */
  readonly box: Box;
  /** `null` where the detector found none. */
  readonly landmarks: Landmarks | null;
}

export interface PreparedPicture {
  readonly picture: LabelledPicture;
  readonly print: Fingerprint;
  readonly faces: readonly PreparedFace[];
}

interface CacheEntry {
  readonly contentHash: string;
  readonly perceptual: readonly number[];
  readonly perceptualMirrored: readonly number[];
  readonly faces: readonly PreparedFace[];
}

export interface PrepareOptions {
  readonly finder: FaceFinder;
  /** Where results are kept between runs; created when missing. */
  readonly cacheDir: string;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Fingerprints every picture and finds its faces with the detector. Results are cached by the pictures' names
 * and the detector, so a second run takes a moment. Order is kept. Rejects with `AppError` DATA_UNREADABLE at
 * the first picture that cannot be read, with the signal's reason when aborted.
 */
export async function preparePictures(
  pictures: readonly LabelledPicture[],
  options: PrepareOptions,
): Promise<PreparedPicture[]> {
  await mkdir(options.cacheDir, { recursive: true });
  const cachePath = join(options.cacheDir, `prepared-${cacheKey(pictures, options.finder)}.json`);
  const cached = await readCache(cachePath);
  const entries: CacheEntry[] = cached.slice(0, pictures.length);
  let savedAt = entries.length;
  for (let index = entries.length; index < pictures.length; index++) {
    options.signal?.throwIfAborted();
    entries.push(await prepareOne(pictures[index]!, options.finder));
    options.onProgress?.(index + 1);
    if (index + 1 - savedAt >= 1000 || index + 1 === pictures.length) {
      await writeFile(cachePath, JSON.stringify(entries));
      savedAt = index + 1;
    }
  }
  return pictures.map((picture, index) => {
    const { contentHash, perceptual, perceptualMirrored, faces } = entries[index]!;
    return {
      picture,
      faces,
      print: {
        contentHash,
        perceptual: Uint32Array.from(perceptual),
        perceptualMirrored: Uint32Array.from(perceptualMirrored),
      },
    };
  });
}

async function prepareOne(picture: LabelledPicture, finder: FaceFinder): Promise<CacheEntry> {
  const print = await fingerprintPicture(picture.path);
  const rgb = await readRgbPicture(picture.path);
  return {
    contentHash: print.contentHash,
    perceptual: [...print.perceptual],
    perceptualMirrored: [...print.perceptualMirrored],
    faces: await labelledFaces(picture, rgb, finder),
  };
}

/** The labelled faces of a picture, each with the best matching detection that no other label has taken. */
export async function labelledFaces(
  picture: LabelledPicture,
  rgb: RgbPicture,
  finder: FaceFinder,
): Promise<PreparedFace[]> {
  if (picture.kind === 'portrait') {
    const face = await findPortraitFace(rgb, finder);
    const whole = { x: 0, y: 0, width: rgb.width, height: rgb.height };
    return [{ label: picture.label, box: face?.box ?? whole, landmarks: face?.landmarks ?? null }];
  }
  const detections = await finder.find(rgb);
  const matches = matchBoxes(
    picture.faces.map(({ box }) => box),
    detections.map(({ box }) => box),
  );
  return picture.faces.map(({ box, label }, faceIndex) => {
    const detection = detections[matches[faceIndex] ?? -1];
    return { label, box: detection?.box ?? box, landmarks: detection?.landmarks ?? null };
  });
}

function cacheKey(pictures: readonly LabelledPicture[], finder: FaceFinder): string {
  const hash = createHash('sha256').update(finder.id);
  for (const picture of pictures)
    hash.update(
      `\n${picture.path}:${picture.kind === 'scene' ? JSON.stringify(picture.faces) : picture.label}`,
    );
  return hash.digest('hex').slice(0, 12);
}

async function readCache(path: string): Promise<CacheEntry[]> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as CacheEntry[];
  } catch {
    return [];
  }
}
