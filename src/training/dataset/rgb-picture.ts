import sharp, { type Sharp } from 'sharp';
import type { PixelBuffer } from '../../domain/frame.js';
import { AppError } from '../../lib/errors.js';

/** A decoded picture: rgb24, interleaved, in shared memory so that it goes to the inference pool uncopied. */
export interface RgbPicture {
  readonly data: Uint8Array;
  readonly buffer: SharedArrayBuffer;
  readonly width: number;
  readonly height: number;
}

export function blankPicture(width: number, height: number): RgbPicture {
  const buffer = new SharedArrayBuffer(width * height * 3);
  return { buffer, data: new Uint8Array(buffer), width, height };
}

/**
 * Decodes a picture as it is displayed, its orientation tag applied, as `maskwatch detect` does. Transparent parts become black. Throws `AppError` DATA_UNREADABLE.
 */
export async function readRgbPicture(source: string | Uint8Array): Promise<RgbPicture> {
  try {
    const { data, info } = await sharp(source)
      .autoOrient()
      .toColourspace('srgb')
      .flatten({ background: '#000' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const picture = blankPicture(info.width, info.height);
    if (info.channels === 3) picture.data.set(data);
    else
      for (let i = 0, pixels = info.width * info.height; i < pixels; i++)
        for (let c = 0; c < 3; c++)
          picture.data[i * 3 + c] = data[i * info.channels + Math.min(c, info.channels - 1)]!;
    return picture;
  } catch (cause) {
    const path = typeof source === 'string' ? source : 'picture in memory';
    throw new AppError('DATA_UNREADABLE', `${path} cannot be read as a picture`, { cause, path });
  }
}

/** A sharp pipeline over a copy of the pixels. */
export function toSharp(picture: Pick<RgbPicture, 'data' | 'width' | 'height'>): Sharp {
  const { data, width, height } = picture;
  // sharp refuses views of shared memory.
  return sharp(Buffer.from(data), { raw: { width, height, channels: 3 } });
}

export function toPixelBuffer({ buffer, width, height }: RgbPicture): PixelBuffer {
  return { buffer, byteOffset: 0, width, height, contentWidth: width, contentHeight: height };
}
