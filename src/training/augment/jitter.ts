import type { Box } from '../../domain/box.js';
import type { Random } from '../../lib/random.js';

export interface JitterRange {
  /** Standard deviation of the shift, as a share of the box's longer side. */
  readonly shift: number;
  /** Standard deviation of the logarithm of the size. */
  readonly logScale: number;
}

/** A box as another frame or another detector might have put it. */
export function jitterBox(box: Box, range: JitterRange, random: Random): Box {
  const side = Math.max(box.width, box.height);
  const scale = Math.exp(random.normal() * range.logScale);
  const stretch = Math.exp(random.normal() * range.logScale * 0.5);
  const width = box.width * scale * stretch;
  const height = (box.height * scale) / stretch;
  return {
    x: box.x + (box.width - width) / 2 + random.normal() * range.shift * side,
    y: box.y + (box.height - height) / 2 + random.normal() * range.shift * side,
    width,
    height,
  };
}
