import sharp from 'sharp';
import type { Box } from '../../domain/box.js';
import type { RgbPicture } from '../dataset/rgb-picture.js';

/** A mask without the face that wore it: RGBA, PNG. */
export interface CutMask {
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Share of the portrait that a mask covers; anything else of its colour is a wall or a shirt. */
const AREA_SHARE = [0.06, 0.4] as const;
/** Width over height. */
const ASPECT = [0.9, 2.6] as const;

/**
 * Cuts the light blue mask out of a synthetic portrait (MaskedFace-Net): its largest connected area of that colour,
 * with the holes in it, so that folds and highlights stay and the nose above its rim does not. Null when no such area has
 * the size and shape of a mask.
 */
export async function cutMask({ data, width, height }: RgbPicture): Promise<CutMask | null> {
  const isBlue = new Uint8Array(width * height);
  for (let i = 0; i < isBlue.length; i++) {
    const [red, green, blue] = [data[i * 3]!, data[i * 3 + 1]!, data[i * 3 + 2]!];
    if (blue > 120 && blue >= green && blue - red > 35 && green - red > 12) isBlue[i] = 1;
  }
  const area = largestArea(isBlue, width, height);
  const box = boundsOf(area, width);
  if (!box || !isMaskLike(box, area.length / (width * height))) return null;
  const isOutside = new Uint8Array(box.width * box.height).fill(1);
  for (const at of area) {
    const x = at % width;
    isOutside[((at - x) / width - box.y) * box.width + x - box.x] = 0;
  }
  const isMask = new Uint8Array(isOutside.length).fill(1);
  for (const at of areasAtEdge(isOutside, box.width, box.height)) isMask[at] = 0;
  const rgba = Buffer.alloc(isMask.length * 4);
  for (let at = 0; at < isMask.length; at++) {
    if (isMask[at] === 0) continue;
    const x = at % box.width;
    const source = (((at - x) / box.width + box.y) * width + x + box.x) * 3;
    rgba.set(data.subarray(source, source + 3), at * 4);
    rgba[at * 4 + 3] = 255;
  }
  const png = await sharp(rgba, { raw: { width: box.width, height: box.height, channels: 4 } })
    .png()
    .toBuffer();
  return { png, width: box.width, height: box.height };
}

function isMaskLike({ width, height }: Box, areaShare: number): boolean {
  const aspect = width / height;
  return (
    areaShare >= AREA_SHARE[0] && areaShare <= AREA_SHARE[1] && aspect >= ASPECT[0] && aspect <= ASPECT[1]
  );
}

/** Indices of the pixels of the largest area that hangs together by its sides. */
function largestArea(isIn: Uint8Array, width: number, height: number): number[] {
  const left = isIn.slice();
  let largest: number[] = [];
  for (let start = 0; start < left.length; start++) {
    if (left[start] === 0) continue;
    const area = takeArea(left, start, width, height);
    if (area.length > largest.length) largest = area;
  }
  return largest;
}

/** Indices of all pixels that hang together with the edge of the picture. */
function areasAtEdge(isIn: Uint8Array, width: number, height: number): number[] {
  const left = isIn.slice();
  const edge = [
    ...Array.from({ length: width }, (_, x) => [x, (height - 1) * width + x]),
    ...Array.from({ length: height }, (_, y) => [y * width, y * width + width - 1]),
  ].flat();
  return edge.flatMap((start) => (left[start] === 1 ? takeArea(left, start, width, height) : []));
}

/** The area that hangs together with `start`, taken out of `left`. */
function takeArea(left: Uint8Array, start: number, width: number, height: number): number[] {
  const area = [start];
  left[start] = 0;
  for (let next = 0; next < area.length; next++) {
    const at = area[next]!;
    const x = at % width;
    const y = (at - x) / width;
    const sides = [
      x > 0 && at - 1,
      x < width - 1 && at + 1,
      y > 0 && at - width,
      y < height - 1 && at + width,
    ];
    for (const side of sides)
      if (side !== false && left[side] === 1) {
        left[side] = 0;
        area.push(side);
      }
  }
  return area;
}

function boundsOf(area: readonly number[], width: number): Box | null {
  if (area.length === 0) return null;
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const at of area) {
    const x = at % width;
    const y = (at - x) / width;
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
