import type { Box } from '../../../domain/box.js';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Annotated sizes are off by this much where a program rounded them. */
const SIZE_SLACK_PX = 2;

export interface Turn {
  /** Size of the picture in which the boxes are given. */
  readonly annotated: PictureSize;
  /** Size with the orientation tag applied. */
  readonly displayed: PictureSize;
  /** EXIF orientation that brings the boxes to the displayed picture; 1 when they are given in it. */
  readonly orientation: number;
}

/**
 * In which of the two pictures, stored or displayed, are the boxes of an annotation? They differ where a file has an
 * EXIF orientation tag (2 … 8; from 5 on width and height change places). The annotated size tells where it can; else
 * it is as the format has it. `null` when the annotated size is that of neither.
 */
export function storedOrientation(
  stored: PictureSize,
  tag: number | undefined,
  annotated: PictureSize | null,
  { boxesIn }: { readonly boxesIn: 'stored' | 'displayed' },
): Turn | null {
  const orientation = tag ?? 1;
  const displayed = orientation >= 5 ? { width: stored.height, height: stored.width } : stored;
  const asStored = { annotated: stored, displayed, orientation };
  const asDisplayed = { annotated: displayed, displayed, orientation: 1 };
  const usual = boxesIn === 'stored' ? asStored : asDisplayed;
  if (annotated === null) return usual;
  const fits = ({ annotated: size }: Turn) =>
    Math.abs(size.width - annotated.width) <= SIZE_SLACK_PX &&
    Math.abs(size.height - annotated.height) <= SIZE_SLACK_PX;
  if (fits(usual)) return usual;
  return [asStored, asDisplayed].find(fits) ?? null;
}

/**
 * A box of the stored picture in pixels of the displayed one. `size`: of the stored picture. `orientation`: EXIF
 * (CIPA DC-008), 1 … 8.
 */
export function displayedBox(box: Box, { width: w, height: h }: PictureSize, orientation: number): Box {
  const { x, y, width, height } = box;
  const right = w - x - width;
  const below = h - y - height;
  switch (orientation) {
    case 2:
      return { x: right, y, width, height };
    case 3:
      return { x: right, y: below, width, height };
    case 4:
      return { x, y: below, width, height };
    case 5:
      return { x: y, y: x, width: height, height: width };
    case 6:
      return { x: below, y: x, width: height, height: width };
    case 7:
      return { x: below, y: right, width: height, height: width };
    case 8:
      return { x: y, y: right, width: height, height: width };
    default:
      return box;
  }
}
