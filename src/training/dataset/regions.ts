import type { Box } from '../../domain/box.js';
import type { ScenePicture } from './picture.js';

/** Share of a box's area that must lie in a region for the box to belong to it. */
const MOSTLY = 0.5;

/** Does at least half of the area of `box` lie in `region`? */
export function isMostlyInside(box: Box, region: Box): boolean {
  const width = Math.min(box.x + box.width, region.x + region.width) - Math.max(box.x, region.x);
  const height = Math.min(box.y + box.height, region.y + region.height) - Math.max(box.y, region.y);
  return width > 0 && height > 0 && width * height >= MOSTLY * box.width * box.height;
}

/** Is a detection in a region of the scene that is neither used nor counted? */
export function isIgnored(box: Box, { ignored }: Pick<ScenePicture, 'ignored'>): boolean {
  return ignored.some((region) => isMostlyInside(box, region));
}
