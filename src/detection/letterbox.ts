import { type RgbSource, resample } from '../lib/resample.js';

/** Where a picture lies in the detector's input: at the top left corner, `scale` input pixels per picture pixel. */
export interface LetterboxPlacement {
  readonly scale: number;
  readonly contentWidth: number;
  readonly contentHeight: number;
}

/** How a picture of `width` × `height` pixels fits into the input with its aspect ratio kept. */
export function placeLetterbox(
  width: number,
  height: number,
  inputWidth: number,
  inputHeight: number,
): LetterboxPlacement {
  const scale = Math.min(inputWidth / width, inputHeight / height);
  return {
    scale,
    contentWidth: Math.max(1, Math.min(inputWidth, Math.round(width * scale))),
    contentHeight: Math.max(1, Math.min(inputHeight, Math.round(height * scale))),
  };
}

/**
 * Brings a picture into a detector's input: rgb24 rows of `inputWidth` × `inputHeight` (NHWC with N = 1),
 * 0…255, at the top left with its aspect ratio kept, black beside or below it. A picture that already has the
 * right size is copied row by row; others are resampled (area average down, bilinear up).
 *
 * `source` is only read, `input` (at least `inputWidth · inputHeight · 3` bytes) stays the caller's and is
 * wholly written. To map a point back, divide it by the returned `scale`. Throws `AppError` PIXELS_BAD_INPUT.
 */
export function letterbox(
  source: RgbSource,
  input: Uint8Array,
  inputWidth: number,
  inputHeight: number,
): LetterboxPlacement {
  const width = source.contentWidth ?? source.width;
  const height = source.contentHeight ?? source.height;
  const placement = placeLetterbox(width, height, inputWidth, inputHeight);
  const { contentWidth, contentHeight } = placement;
  const strideBytes = inputWidth * 3;
  if (contentWidth === width && contentHeight === height) copyRows(source, width, height, input, strideBytes);
  else {
    resample(
      source,
      { x: 0, y: 0, width, height },
      { data: input, offset: 0, width: contentWidth, height: contentHeight, strideBytes },
    );
  }
  const contentBytes = contentWidth * 3;
  if (contentBytes < strideBytes) {
    for (let y = 0; y < contentHeight; y++)
      input.fill(0, y * strideBytes + contentBytes, (y + 1) * strideBytes);
  }
  input.fill(0, contentHeight * strideBytes, inputHeight * strideBytes);
  return placement;
}

function copyRows(
  source: RgbSource,
  width: number,
  height: number,
  input: Uint8Array,
  strideBytes: number,
): void {
  const sourceStride = source.width * 3;
  if (sourceStride === strideBytes) {
    input.set(source.data.subarray(0, height * sourceStride));
    return;
  }
  for (let y = 0; y < height; y++) {
    const from = y * sourceStride;
    input.set(source.data.subarray(from, from + width * 3), y * strideBytes);
  }
}
