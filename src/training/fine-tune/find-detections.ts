import type { FaceDetection } from '../../domain/face.js';
import { type FaceFinder, findPortraitFace } from '../dataset/face-finder.js';
import { JsonlCache } from '../dataset/jsonl-cache.js';
import type { PrepareOptions } from '../dataset/prepare.js';
import { readRgbPicture } from '../dataset/rgb-picture.js';
import type { PrintedPicture } from '../dataset/split.js';

/** A picture with everything that a careless detector sees in it. Of a portrait the biggest face alone. */
export interface SeenPicture extends PrintedPicture {
  readonly detections: readonly FaceDetection[];
  /** Pixels of the picture as stored; 0 × 0 of one that was not opened. */
  readonly width: number;
  readonly height: number;
}

interface Seen {
  readonly width: number;
  readonly height: number;
  readonly detections: readonly FaceDetection[];
}

/**
 * Runs the detector over every wanted picture; the others are not opened and get no detections. Cached by content
 * and detector, not by labels: corrections cost nothing. Rejects as `printPictures` does.
 */
export async function findDetections(
  pictures: readonly PrintedPicture[],
  finder: FaceFinder,
  isWanted: (index: number) => boolean,
  options: PrepareOptions,
): Promise<SeenPicture[]> {
  const cache = await JsonlCache.open<Seen>(options.cacheDir, `seen-${finder.id}`);
  const seen: SeenPicture[] = [];
  try {
    for (const [index, { picture, print }] of pictures.entries()) {
      options.signal?.throwIfAborted();
      const found = isWanted(index)
        ? await cache.take(`${picture.kind}:${print.contentHash}`, async () => {
            const rgb = await readRgbPicture(picture.path);
            const { width, height } = rgb;
            if (picture.kind === 'scene') return { width, height, detections: await finder.find(rgb) };
            const face = await findPortraitFace(rgb, finder);
            return { width, height, detections: face ? [face] : [] };
          })
        : { width: 0, height: 0, detections: [] };
      seen.push({ picture, print, ...found });
      options.onProgress?.(index + 1);
    }
  } finally {
    await cache.close();
  }
  return seen;
}
