import type { PixelBuffer } from '../src/domain/frame.js';
import { AppError } from '../src/lib/errors.js';
import type { RgbSource } from '../src/lib/resample.js';

/** The pixels of a shared buffer, without copying them. Throws `AppError` PIXELS_BAD_INPUT when they do not fit. */
export function viewPixels(pixels: PixelBuffer): RgbSource {
  const { buffer, byteOffset, width, height, contentWidth, contentHeight } = pixels;
  const sizeBytes = width * height * 3;
  const fits =
    [width, height, contentWidth, contentHeight].every((side) => Number.isInteger(side) && side > 0) &&
    contentWidth <= width &&
    contentHeight <= height &&
    byteOffset >= 0 &&
    byteOffset + sizeBytes <= buffer.byteLength;
  if (!fits) {
    throw new AppError(
      'PIXELS_BAD_INPUT',
      `${width}×${height} pixels (content ${contentWidth}×${contentHeight}) from byte ${byteOffset} do not fit into ${buffer.byteLength} bytes`,
    );
  }
  return { data: new Uint8Array(buffer, byteOffset, sizeBytes), width, height, contentWidth, contentHeight };
}
