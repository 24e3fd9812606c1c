import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Box } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import type { MaskLabel } from '../../domain/label.js';
import { type FaceFinder, findPortraitFace } from './face-finder.js';
import { type Fingerprint, fingerprintPicture } from './fingerprint.js';
import { JsonlCache } from './jsonl-cache.js';
import { matchBoxes } from './match-boxes.js';
import type { LabelledPicture } from './picture.js';
import { type RgbPicture, readRgbPicture } from './rgb-picture.js';
import type { PrintedPicture } from './split.js';

/** A labelled face as the detector delivers it. */
export interface PreparedFace {
  readonly label: MaskLabel;
  /** The detector's box; the label's own where the detector found none there. Pixels of the picture. */
  readonly box: Box;
  /** `null` where the detector found none. */
  readonly landmarks: Landmarks | null;
}

export interface PreparedPicture extends PrintedPicture {
  readonly faces: readonly PreparedFace[];
}

export interface PrepareOptions {
  /** Where results are kept between runs; created when missing. */
  readonly cacheDir: string;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Fingerprints of all pictures, in order; cached by file name, size and time of change. Rejects with `AppError`
 * DATA_UNREADABLE at the first file that is no picture, with the signal's reason when aborted.
 */
export async function printPictures(
  pictures: readonly LabelledPicture[],
  options: PrepareOptions,
): Promise<PrintedPicture[]> {
  const cache = await JsonlCache.open<[string, number[], number[]]>(options.cacheDir, 'fingerprints');
  return mapCached(pictures, cache, options, async (picture) => {
    const { size, mtimeMs } = await stat(picture.path);
    const [contentHash, perceptual, perceptualMirrored] = await cache.take(
      `${picture.path}:${size}:${mtimeMs}`,
      async () => {
        const print = await fingerprintPicture(picture.path);
        return [print.contentHash, [...print.perceptual], [...print.perceptualMirrored]];
      },
    );
    const print: Fingerprint = {
      contentHash,
      perceptual: Uint32Array.from(perceptual),
      perceptualMirrored: Uint32Array.from(perceptualMirrored),
    };
    return { picture, print };
  });
}

/**
 * The labelled faces of pictures with the detector's boxes. Pictures for which `isWanted` is false are not opened
 * and get no faces. Cached by content, labels and detector. Rejects as {@link printPictures} does.
 */
export async function prepareFaces(
  pictures: readonly PrintedPicture[],
  finder: FaceFinder,
  isWanted: (index: number) => boolean,
  options: PrepareOptions,
): Promise<PreparedPicture[]> {
  const cache = await JsonlCache.open<PreparedFace[]>(options.cacheDir, `faces-${finder.id}`);
  return mapCached(pictures, cache, options, async ({ picture, print }, index) => {
    if (!isWanted(index)) return { picture, print, faces: [] };
    const faces = await cache.take(`${print.contentHash}:${labelsKey(picture)}`, async () =>
      labelledFaces(picture, await readRgbPicture(picture.path), finder),
    );
    return { picture, print, faces };
  });
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
  // Faces without a label take part, so that a detection of theirs goes to no neighbour.
  const matches = matchBoxes(
    [...picture.faces.map(({ box }) => box), ...picture.unclassified],
    detections.map(({ box }) => box),
  );
  return picture.faces.map(({ box, label }, faceIndex) => {
    const detection = detections[matches[faceIndex] ?? -1];
    return { label, box: detection?.box ?? box, landmarks: detection?.landmarks ?? null };
  });
}

async function mapCached<In, Out>(
  items: readonly In[],
  cache: { close(): Promise<void> },
  { onProgress, signal }: PrepareOptions,
  make: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  try {
    for (const [index, item] of items.entries()) {
      signal?.throwIfAborted();
      results.push(await make(item, index));
      onProgress?.(index + 1);
    }
  } finally {
    await cache.close();
  }
  return results;
}

function labelsKey(picture: LabelledPicture): string {
  const labels =
    picture.kind === 'portrait'
      ? picture.label
      : JSON.stringify(picture.faces) +
        (picture.unclassified.length > 0 ? JSON.stringify(picture.unclassified) : '');
  return createHash('sha256').update(labels).digest('hex').slice(0, 8);
}
