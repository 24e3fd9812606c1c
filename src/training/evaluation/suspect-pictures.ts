import sharp from 'sharp';
import { cropRegion, extractCrop } from '../../crops/extract.js';
import { readRgbPicture } from '../dataset/rgb-picture.js';
import { groupBy } from './group-by.js';
import type { Suspect } from './suspects.js';

/** A suspect with some of what is around it. */
export interface SuspectPicture {
  /** JPEG, {@link PICTURE_PX} square. */
  readonly jpeg: Buffer;
  /** Where the suspect's box lies in it, as shares of the side. */
  readonly frame: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export const PICTURE_PX = 224;
/** Wide enough to tell a hand or a scarf from a mask, and whose face it is. */
const MARGIN_RATIO = 1;

/** Cuts the suspects out of their pictures, each of which is read once. Throws `AppError` DATA_UNREADABLE. */
export async function suspectPictures(
  suspects: readonly Suspect[],
  onDone: (done: number) => void = () => {},
): Promise<Map<Suspect, SuspectPicture>> {
  const pictures = new Map<Suspect, SuspectPicture>();
  for (const [{ path }, group] of groupBy(suspects, ({ picture }) => picture)) {
    const rgb = await readRgbPicture(path);
    for (const suspect of group) {
      const { box } = suspect;
      const pixels = new Uint8Array(PICTURE_PX * PICTURE_PX * 3);
      extractCrop(rgb, box, { sizePx: PICTURE_PX, marginRatio: MARGIN_RATIO }, pixels);
      const region = cropRegion(box, MARGIN_RATIO);
      pictures.set(suspect, {
        jpeg: await sharp(pixels, { raw: { width: PICTURE_PX, height: PICTURE_PX, channels: 3 } })
          .jpeg({ quality: 82 })
          .toBuffer(),
        frame: {
          x: (box.x - region.x) / region.width,
          y: (box.y - region.y) / region.height,
          width: box.width / region.width,
          height: box.height / region.height,
        },
      });
      onDone(pictures.size);
    }
  }
  return pictures;
}
