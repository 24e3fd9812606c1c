/** Fractions of a pixel are counted in 1/2^8, so that every sum of byte × weight × weight is a small integer. */
const FRACTION_BITS = 8;
const FRACTION_ONE = 1 << FRACTION_BITS;
const SHIFT = 2 * FRACTION_BITS;
const HALF = 1 << (SHIFT - 1);

/** A square rgb24 picture, rows without padding: `sidePx² · 3` bytes. */
export interface RgbSquare {
  readonly data: Uint8Array;
  readonly sidePx: number;
}

/**
 * Turns `source` about its centre by `degrees`, clockwise as the picture shows it, at its own scale; `target` receives
 * the middle of that. Bilinear; what lies outside of `source` repeats its edge. `target` must not overlap `source`; both
 * stay the caller's, nothing is allocated. A source of `target.sidePx · (|cos| + |sin|)` leaves nothing outside.
 */
export function turnSquare(source: RgbSquare, degrees: number, target: RgbSquare): void {
  const radians = (degrees * Math.PI) / 180;
  // Steps from one pixel of the target to the next, in fractions of a pixel of the source.
  const cos = Math.cos(radians) * FRACTION_ONE;
  const sin = Math.sin(radians) * FRACTION_ONE;
  const last = (source.sidePx - 1) * FRACTION_ONE;
  const rowBytes = source.sidePx * 3;
  const from = source.data;
  const to = target.data;
  const centre = last / 2;
  const middle = (target.sidePx - 1) / 2;
  let at = 0;
  for (let y = 0; y < target.sidePx; y++) {
    const startX = centre + sin * (y - middle) - cos * middle + 0.5;
    const startY = centre + cos * (y - middle) + sin * middle + 0.5;
    for (let x = 0; x < target.sidePx; x++) {
      // Towards zero, which is down for all that lies inside.
      const sx = within((startX + cos * x) | 0, last);
      const sy = within((startY - sin * x) | 0, last);
      const fx = sx & (FRACTION_ONE - 1);
      const fy = sy & (FRACTION_ONE - 1);
      let topLeft = (sy >> FRACTION_BITS) * rowBytes + (sx >> FRACTION_BITS) * 3;
      // On the last column or row the neighbour has no weight, and may not exist.
      const right = fx === 0 ? 0 : 3;
      const below = fy === 0 ? 0 : rowBytes;
      const a = (FRACTION_ONE - fx) * (FRACTION_ONE - fy);
      const b = fx * (FRACTION_ONE - fy);
      const c = (FRACTION_ONE - fx) * fy;
      const d = fx * fy;
      for (let channel = 0; channel < 3; channel++) {
        to[at] =
          (from[topLeft]! * a +
            from[topLeft + right]! * b +
            from[topLeft + below]! * c +
            from[topLeft + right + below]! * d +
            HALF) >>
          SHIFT;
        at++;
        topLeft++;
      }
    }
  }
}

function within(value: number, last: number): number {
  return value < 0 ? 0 : value > last ? last : value;
}
