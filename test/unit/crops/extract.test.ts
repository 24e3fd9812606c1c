import { describe, expect, it } from 'vitest';
import { cropRegion, extractCrop } from '../../../src/crops/extract.js';

/** A picture whose red is x and whose green is y, so that a crop tells where it was cut. */
function gradient(width: number, height: number) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([x, y, 200], (y * width + x) * 3);
  }
  return { data, width, height };
}

describe('cropRegion', () => {
  it('is a square around the middle of the box, its longer side plus the margin', () => {
    expect(cropRegion({ x: 10, y: 20, width: 20, height: 40 }, 0.5)).toEqual({
      x: -10,
      y: 10,
      width: 60,
      height: 60,
    });
  });
});

describe('extractCrop', () => {
  it('shows the square around the box at its place', () => {
    const crop = new Uint8Array(10 * 10 * 3);
    extractCrop(
      gradient(200, 150),
      { x: 100, y: 50, width: 20, height: 20 },
      { sizePx: 10, marginRatio: 0 },
      crop,
    );
    // Pixel (i, j) averages source columns 100 + 2i, 101 + 2i and rows 50 + 2j, 51 + 2j.
    for (const [i, j] of [
      [0, 0],
      [9, 0],
      [4, 7],
    ] as const) {
      const at = (j * 10 + i) * 3;
      expect([...crop.subarray(at, at + 3)]).toEqual([
        Math.round(100.5 + 2 * i),
        Math.round(50.5 + 2 * j),
        200,
      ]);
    }
  });

  it('repeats the edge where the square leaves the picture', () => {
    const crop = new Uint8Array(8 * 8 * 3);
    extractCrop(
      gradient(100, 100),
      { x: -20, y: 30, width: 40, height: 40 },
      { sizePx: 8, marginRatio: 0 },
      crop,
    );
    expect(crop[0]).toBe(0);
    expect(crop[3 * 3]).toBe(0);
    expect(crop[4 * 3]).toBe(2);
    expect(crop[2]).toBe(200);
  });

  it('lays crops one after the other in a batch', () => {
    const size = 4 * 4 * 3;
    const batch = new Uint8Array(3 * size);
    const source = gradient(64, 64);
    const box = { x: 16, y: 16, width: 16, height: 16 };
    extractCrop(source, box, { sizePx: 4, marginRatio: 0.25 }, batch, size);
    const alone = new Uint8Array(size);
    extractCrop(source, box, { sizePx: 4, marginRatio: 0.25 }, alone);
    expect(batch.subarray(size, 2 * size)).toEqual(alone);
    expect(batch.subarray(0, size)).toEqual(new Uint8Array(size));
    expect(batch.subarray(2 * size)).toEqual(new Uint8Array(size));
  });

  it('refuses a box without area', () => {
    expect(() =>
      extractCrop(
        gradient(8, 8),
        { x: 2, y: 2, width: 0, height: 0 },
        { sizePx: 4, marginRatio: 0 },
        new Uint8Array(48),
      ),
    ).toThrow(expect.objectContaining({ code: 'PIXELS_BAD_INPUT' }));
  });
});
