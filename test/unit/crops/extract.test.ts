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

  it.each([0, 20])('refuses a target that is too small, with a head that leans by %i° too', (rollDegrees) => {
    const source = gradient(64, 64);
    const box = { x: 16, y: 16, width: 16, height: 16 };
    for (const [bytes, offset] of [
      [1000, 0],
      [4000, 1000],
      [4000, -300],
    ] as const)
      expect(() =>
        extractCrop(
          source,
          box,
          { sizePx: 32, marginRatio: 0.4, rollDegrees },
          new Uint8Array(bytes),
          offset,
        ),
      ).toThrow(expect.objectContaining({ code: 'PIXELS_BAD_INPUT' }));
  });

  it.each([-130, -25, 12, 90])('shows a head that leans by %i° as one that does not', (rollDegrees) => {
    // Waves of other lengths and directions in each colour, so that no turn of the picture looks like another.
    const colours = (x: number, y: number) => [
      128 + 100 * Math.sin(x / 9 + y / 40),
      128 + 100 * Math.sin(y / 13),
      128 + 100 * Math.sin((x - y) / 17),
    ];
    const [cx, cy] = [110, 90];
    const turned = (degrees: number) => {
      const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
      const data = new Uint8Array(220 * 180 * 3);
      for (let y = 0; y < 180; y++)
        for (let x = 0; x < 220; x++) {
          const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
          data.set(colours(cos * dx + sin * dy, cos * dy - sin * dx).map(Math.round), (y * 220 + x) * 3);
        }
      return { data, width: 220, height: 180 };
    };
    const box = { x: cx - 20, y: cy - 25, width: 40, height: 50 };
    const geometry = { sizePx: 64, marginRatio: 0.4 };
    const upright = new Uint8Array(64 * 64 * 3);
    extractCrop(turned(0), box, geometry, upright);
    const batch = new Uint8Array(2 * upright.length);
    extractCrop(turned(rollDegrees), box, { ...geometry, rollDegrees }, batch, upright.length);
    const worst = (crop: Uint8Array) =>
      crop.reduce((most, value, index) => Math.max(most, Math.abs(value - upright[index]!)), 0);
    expect(worst(batch.subarray(upright.length))).toBeLessThan(6);
    expect(batch.subarray(0, upright.length).every((value) => value === 0)).toBe(true);
    extractCrop(turned(rollDegrees), box, geometry, batch);
    expect(worst(batch.subarray(0, upright.length))).toBeGreaterThan(60);
  });
});
