import sharp from 'sharp';
import { AppError } from '../../lib/errors.js';

/**
 * A whole picture as rgb24 of side × side, its proportions given up, by bicubic interpolation over the area that
 * each pixel covers, as Keras reads pictures (Pillow's BICUBIC: Catmull-Rom, a = −0.5; sharp's `cubic` is the same).
 * Throws `AppError` DATA_UNREADABLE.
 */
export async function readStretched(path: string, sidePx: number): Promise<Uint8Array> {
  try {
    const { data, info } = await sharp(path)
      .toColourspace('srgb')
      .flatten({ background: '#000' })
      .resize(sidePx, sidePx, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: false })
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels === 3) return new Uint8Array(data);
    const pixels = new Uint8Array(sidePx * sidePx * 3);
    for (let i = 0; i < pixels.length; i++) {
      const channel = Math.min(i % 3, info.channels - 1);
      pixels[i] = data[Math.floor(i / 3) * info.channels + channel]!;
    }
    return pixels;
  } catch (cause) {
    throw new AppError('DATA_UNREADABLE', `${path} cannot be read as a picture`, { cause, path });
  }
}
