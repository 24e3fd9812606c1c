import type { Box } from '../../domain/box.js';
import type { Random } from '../../lib/random.js';

export interface RegionRules {
  /** Shorter side at the least, pixels: a camera's picture, not a crop. */
  readonly minSidePx: number;
  /** Longer side at the most, pixels. */
  readonly maxSidePx: number;
}

export const PICTURE_SIDES: RegionRules = { minSidePx: 160, maxSidePx: 640 };

/** Width over height of the shapes that are tried: upright, square and the two of common cameras. */
const ASPECTS = [3 / 4, 1, 4 / 3, 16 / 9];
const TRIES = 400;

/**
 * The largest of many regions drawn at random that touch none of `blocked` and hold the whole of `around`, when it is
 * given; null when none fits. Whole pixels of the picture. The same `random` gives the same region.
 */
export function clearRegion(
  picture: { readonly width: number; readonly height: number },
  blocked: readonly Box[],
  around: Box | null,
  random: Random,
  { minSidePx, maxSidePx }: RegionRules = PICTURE_SIDES,
): Box | null {
  let best: Box | null = null;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const aspect = ASPECTS[random.index(ASPECTS.length)]!;
    const longerPx = Math.round(minSidePx * (maxSidePx / minSidePx) ** random.next());
    const width = aspect >= 1 ? longerPx : Math.round(longerPx * aspect);
    const height = aspect >= 1 ? Math.round(longerPx / aspect) : longerPx;
    const x = drawStart(picture.width, width, around && [around.x, around.width], random);
    const y = drawStart(picture.height, height, around && [around.y, around.height], random);
    if (x === null || y === null || Math.min(width, height) < minSidePx) continue;
    const region = { x, y, width, height };
    if (best && best.width * best.height >= width * height) continue;
    if (!blocked.some((box) => overlaps(box, region))) best = region;
  }
  return best;
}

/** The box with room on every side, as a share of its longer one. */
export function withRoom({ x, y, width, height }: Box, share: number): Box {
  const room = Math.max(width, height) * share;
  return { x: x - room, y: y - room, width: width + 2 * room, height: height + 2 * room };
}

/** Do two boxes share any area? */
export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Where a side of `length` may begin within `whole` so that it holds `inner`; null when it is too long or too short. */
function drawStart(
  whole: number,
  length: number,
  inner: readonly [start: number, length: number] | null,
  random: Random,
): number | null {
  const low = inner ? Math.max(0, Math.ceil(inner[0] + inner[1] - length)) : 0;
  const high = inner ? Math.min(whole - length, Math.floor(inner[0])) : whole - length;
  const drawn = random.next();
  return high < low ? null : Math.floor(low + drawn * (high - low + 1));
}
