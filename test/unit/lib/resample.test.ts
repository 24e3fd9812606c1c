import { describe, expect, it } from 'vitest';
import { type Region, type RgbSource, resample } from '../../../src/lib/resample.js';

/** Same definition, written the plain way: each output pixel is the average of a box over a continuous picture. */
function reference(source: RgbSource, region: Region, width: number, height: number): number[] {
  const contentWidth = source.contentWidth ?? source.width;
  const contentHeight = source.contentHeight ?? source.height;
  const out: number[] = [];
  const stepX = region.width / width;
  const stepY = region.height / height;
  const overlaps = (centre: number, reach: number) => {
    const result: [number, number][] = [];
    const from = centre - reach / 2;
    const to = centre + reach / 2;
    for (let i = Math.floor(from); i < to; i++) {
      const share = (Math.min(i + 1, to) - Math.max(i, from)) / reach;
      if (share > 0) result.push([i, share]);
    }
    return result;
  };
  const clamp = (value: number, limit: number) => Math.min(Math.max(value, 0), limit - 1);
  for (let y = 0; y < height; y++) {
    const ys = overlaps(region.y + (y + 0.5) * stepY, Math.max(1, stepY));
    for (let x = 0; x < width; x++) {
      const xs = overlaps(region.x + (x + 0.5) * stepX, Math.max(1, stepX));
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (const [j, wy] of ys) {
          for (const [i, wx] of xs) {
            const at = (clamp(j, contentHeight) * source.width + clamp(i, contentWidth)) * 3 + channel;
            sum += source.data[at]! * wx * wy;
          }
        }
        out.push(sum);
      }
    }
  }
  return out;
}

/** A small deterministic generator (mulberry32), so that a failure can be repeated. */
function randomBytes(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) & 255;
  });
}

const noise: RgbSource = { data: randomBytes(37 * 29 * 3, 1), width: 37, height: 29 };

function draw(source: RgbSource, region: Region, width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  resample(source, region, { data, offset: 0, width, height, strideBytes: width * 3 });
  return data;
}

describe('resample', () => {
  it.each([
    ['the picture itself', { x: 0, y: 0, width: 37, height: 29 }, 37, 29],
    ['a shrunk part', { x: 2.3, y: 1.7, width: 30.5, height: 22.25 }, 8, 6],
    ['a strongly shrunk picture', { x: 0, y: 0, width: 37, height: 29 }, 3, 2],
    ['an enlarged part', { x: 10.4, y: 7.9, width: 6.2, height: 5.1 }, 32, 24],
    ['one axis shrunk, the other enlarged', { x: 3, y: 4, width: 30, height: 5 }, 10, 20],
    ['beyond the top left corner', { x: -12.5, y: -9.25, width: 25, height: 25 }, 16, 16],
    ['beyond the bottom right corner', { x: 25.5, y: 20.1, width: 40, height: 40 }, 16, 16],
    ['wholly outside', { x: 60, y: -50, width: 10, height: 10 }, 4, 4],
    ['far more than the picture', { x: -100, y: -100, width: 300, height: 300 }, 12, 12],
    ['less than a pixel', { x: 5.2, y: 5.3, width: 0.2, height: 0.2 }, 4, 4],
  ] as const)('matches the plain definition: %s', (_, region, width, height) => {
    const expected = reference(noise, region, width, height);
    const actual = draw(noise, region, width, height);
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
    // Half a level of rounding plus the fixed-point weights' own error.
    expect(worst).toBeLessThan(0.75);
  });

  it('copies exactly at scale 1', () => {
    expect(draw(noise, { x: 0, y: 0, width: 37, height: 29 }, 37, 29)).toEqual(noise.data);
  });

  it('keeps a flat picture flat at every scale, white too', () => {
    const white = { data: new Uint8Array(50 * 50 * 3).fill(255), width: 50, height: 50 };
    for (const side of [1, 7, 50, 61, 224]) {
      const drawn = draw(white, { x: -3.7, y: 2.2, width: 47.3, height: 61.9 }, side, side);
      expect(new Set(drawn)).toEqual(new Set([255]));
    }
  });

  it('never reads beside the content', () => {
    const data = new Uint8Array(20 * 20 * 3).fill(255);
    for (let y = 0; y < 10; y++) data.fill(40, y * 60, y * 60 + 36);
    const source = { data, width: 20, height: 20, contentWidth: 12, contentHeight: 10 };
    expect(new Set(draw(source, { x: 6, y: 4, width: 14, height: 14 }, 9, 9))).toEqual(new Set([40]));
  });

  it('writes only the target’s pixels, row by row at its stride', () => {
    const data = new Uint8Array(200).fill(7);
    resample(
      noise,
      { x: 0, y: 0, width: 4, height: 3 },
      {
        data,
        offset: 11,
        width: 4,
        height: 3,
        strideBytes: 20,
      },
    );
    const touched = [...data.keys()].filter((i) => data[i] !== 7);
    const inside = (i: number) => i >= 11 && (i - 11) % 20 < 12 && (i - 11) / 20 < 3;
    expect(touched.length).toBeGreaterThan(30);
    expect(touched.every(inside)).toBe(true);
  });

  it('gives the same pixels from shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(noise.data.length));
    shared.set(noise.data);
    const region = { x: 1.5, y: 2.5, width: 20, height: 20 };
    expect(draw({ ...noise, data: shared }, region, 8, 8)).toEqual(draw(noise, region, 8, 8));
  });

  it.each([
    ['a region without area', noise, { x: 0, y: 0, width: 0, height: 4 }],
    ['a region that is not a number', noise, { x: Number.NaN, y: 0, width: 4, height: 4 }],
    ['too few bytes', { ...noise, height: 40 }, { x: 0, y: 0, width: 4, height: 4 }],
    ['content beyond the picture', { ...noise, contentWidth: 38 }, { x: 0, y: 0, width: 4, height: 4 }],
  ])('refuses %s', (_, source, region) => {
    expect(() => draw(source, region, 4, 4)).toThrow(expect.objectContaining({ code: 'PIXELS_BAD_INPUT' }));
  });

  it('refuses a target that is too small', () => {
    const target = { data: new Uint8Array(47), offset: 0, width: 4, height: 4, strideBytes: 12 };
    expect(() => resample(noise, { x: 0, y: 0, width: 4, height: 4 }, target)).toThrow(
      expect.objectContaining({ code: 'PIXELS_BAD_INPUT' }),
    );
  });
});
