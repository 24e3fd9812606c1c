import { expect, it } from 'vitest';
import { regionLuma } from '../../../src/crops/region-luma.js';

/** Left half black, right half white, 64 × 32. */
function halves() {
  const data = new Uint8Array(64 * 32 * 3);
  for (let i = 0; i < 64 * 32; i++) data.fill(i % 64 < 32 ? 0 : 255, i * 3, i * 3 + 3);
  return { data, width: 64, height: 32 };
}

it('tells mean and spread of a part of a picture', () => {
  expect(regionLuma(halves(), { x: 0, y: 0, width: 32, height: 32 })).toEqual({ mean: 0, spread: 0 });
  const white = regionLuma(halves(), { x: 32, y: 0, width: 32, height: 32 });
  expect(white.mean).toBeCloseTo(255, 5);
  const both = regionLuma(halves(), { x: 16, y: 0, width: 32, height: 32 });
  expect(both.mean).toBeCloseTo(127.5, 0);
  expect(both.spread).toBeCloseTo(127.5, 0);
});

it('weighs colours as people see them', () => {
  const data = new Uint8Array(32 * 32 * 3);
  for (let at = 1; at < data.length; at += 3) data[at] = 200;
  expect(regionLuma({ data, width: 32, height: 32 }, { x: 0, y: 0, width: 32, height: 32 }).mean).toBeCloseTo(
    0.587 * 200,
    5,
  );
});
