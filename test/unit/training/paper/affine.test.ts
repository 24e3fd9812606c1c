import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/lib/random.js';
import { drawWarp, type WarpParameters, warpMatrix, warpRgb } from '../../../../src/training/paper/affine.js';

const NONE: WarpParameters = {
  rotationDegrees: 0,
  rowShiftPx: 0,
  columnShiftPx: 0,
  shearDegrees: 0,
  rowZoom: 1,
  columnZoom: 1,
  isMirrored: false,
};

/** Source row and column of a place in the changed picture. */
function sourceOf(parameters: Partial<WarpParameters>, side: number, row: number, column: number): number[] {
  const [a, b, e, d, f, g] = warpMatrix({ ...NONE, ...parameters }, side, side);
  return [a * row + b * column + e, d * row + f * column + g].map((value) => Math.round(value * 1e6) / 1e6);
}

/** A picture whose pixel values are 10 · row + column, in all channels. */
function counted(side: number): Uint8Array {
  return Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return 10 * Math.floor(pixel / side) + (pixel % side);
  });
}

function warped(parameters: Partial<WarpParameters>, side: number): number[][] {
  const full = { ...NONE, ...parameters };
  const target = new Uint8Array(side * side * 3);
  const source = { data: counted(side), width: side, height: side };
  warpRgb(source, warpMatrix(full, side, side), full.isMirrored, target);
  return Array.from({ length: side }, (_, r) =>
    Array.from({ length: side }, (_, c) => target[(r * side + c) * 3]!),
  );
}

describe('warpMatrix', () => {
  it('is the identity when nothing changes', () => {
    expect(sourceOf({}, 5, 1, 3)).toEqual([1, 3]);
  });

  it('turns about the centre, clockwise as seen: the top right comes from the top left', () => {
    expect(sourceOf({ rotationDegrees: 90 }, 5, 2, 2)).toEqual([2, 2]);
    expect(sourceOf({ rotationDegrees: 90 }, 5, 0, 4)).toEqual([0, 0]);
    expect(sourceOf({ rotationDegrees: 90 }, 5, 2, 4)).toEqual([0, 2]);
  });

  it('moves the window: a shift of one row takes the pixel of the row below', () => {
    expect(sourceOf({ rowShiftPx: 1, columnShiftPx: -2 }, 5, 2, 2)).toEqual([3, 0]);
  });

  it('zooms each axis by itself about the centre', () => {
    expect(sourceOf({ rowZoom: 0.5, columnZoom: 1 }, 5, 0, 0)).toEqual([1, 0]);
    expect(sourceOf({ rowZoom: 1, columnZoom: 0.5 }, 5, 4, 4)).toEqual([4, 3]);
  });

  it('multiplies rotation, shift, shear and zoom in this order', () => {
    // By hand, about the centre (2, 2), for the place (0, 0), that is (−2, −2): zoom (0.5, 1) → (−1, −2);
    // shear of 30°, sine 0.5, cosine √3/2: (−1 + 0.5 · 2, −2 · √3/2) = (0, −√3); shift (1, 0) → (1, −√3);
    // 90°: (r, c) → (−c, r) = (√3, 1); back: (2 + √3, 3).
    const place = sourceOf({ rotationDegrees: 90, rowShiftPx: 1, shearDegrees: 30, rowZoom: 0.5 }, 5, 0, 0);
    expect(place[0]).toBeCloseTo(2 + Math.sqrt(3), 5);
    expect(place[1]).toBeCloseTo(3, 5);
  });
});

describe('warpRgb', () => {
  it('repeats the nearest pixel of the edge outside of the picture', () => {
    expect(warped({ columnShiftPx: 1 }, 3)).toEqual([
      [1, 2, 2],
      [11, 12, 12],
      [21, 22, 22],
    ]);
  });

  it('mixes neighbours linearly', () => {
    // Half a row down: the mean of two rows; the last stays.
    expect(warped({ rowShiftPx: 0.5 }, 3)).toEqual([
      [5, 6, 7],
      [15, 16, 17],
      [20, 21, 22],
    ]);
  });

  it('mirrors left to right at the end', () => {
    expect(warped({ columnShiftPx: 1, isMirrored: true }, 3)[0]).toEqual([2, 2, 1]);
  });
});

describe('drawWarp', () => {
  it('stays in the ranges, reaches towards their ends, and is the same for the same seed', () => {
    const ranges = {
      rotationDegrees: 60,
      zoom: [0.4, 1],
      rowShift: 0.3,
      columnShift: 0.1,
      shearDegrees: 0.15,
      flipChance: 0.5,
    } as const;
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 400 }, () => drawWarp(ranges, 100, 200, random));
    };
    const draws = draw(3);
    expect(draw(3)).toEqual(draws);
    const most = (of: (parameters: WarpParameters) => number) => Math.max(...draws.map(of));
    const within = (value: number, limit: number) => {
      expect(value).toBeLessThanOrEqual(limit);
      expect(value).toBeGreaterThan(0.9 * limit);
    };
    within(
      most(({ rotationDegrees }) => Math.abs(rotationDegrees)),
      60,
    );
    within(
      most(({ rowShiftPx }) => Math.abs(rowShiftPx)),
      30,
    );
    within(
      most(({ columnShiftPx }) => Math.abs(columnShiftPx)),
      20,
    );
    within(
      most(({ rowZoom }) => rowZoom),
      1,
    );
    expect(Math.min(...draws.map(({ columnZoom }) => columnZoom))).toBeGreaterThanOrEqual(0.4);
    expect(draws.some(({ rowZoom, columnZoom }) => Math.abs(rowZoom - columnZoom) > 0.1)).toBe(true);
    const mirrored = draws.filter(({ isMirrored }) => isMirrored).length;
    expect(mirrored).toBeGreaterThan(150);
    expect(mirrored).toBeLessThan(250);
  });
});
