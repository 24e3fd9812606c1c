import { describe, expect, it } from 'vitest';
import { GRID_CELLS, GRID_COLUMNS } from '../../../src/domain/picture.js';
import { PictureSampler } from '../../../src/ingest/picture-statistics.js';
import { type Paint, roomPaint, statisticsOf } from '../../support/made-pictures.js';

const plain =
  (red: number, green: number, blue: number): Paint =>
  () => [red, green, blue];

describe('statistics of a picture', () => {
  it('tell its light: mean, the brightest hundredth, what is clipped', () => {
    const dark = statisticsOf((x, y) => (x < 8 && y < 90 ? [255, 255, 255] : [10, 10, 10]));
    expect(dark.meanLuma).toBeCloseTo(10 + (245 * 8 * 90) / (320 * 180), 0);
    expect(dark.highLuma).toBe(255);
    expect(dark.clippedShare).toBeCloseTo(0.0125, 2);
    const grey = statisticsOf(plain(90, 90, 90));
    expect(grey).toMatchObject({ meanLuma: 90, highLuma: 90, clippedShare: 0, gridVariance: 0 });
  });

  it('weigh red, green and blue as BT.601 does', () => {
    const lumas = [plain(255, 0, 0), plain(0, 255, 0), plain(0, 0, 255)].map(
      (paint) => statisticsOf(paint).meanLuma,
    );
    expect(lumas[0]).toBeCloseTo(76, -1);
    expect(lumas[1]).toBeCloseTo(150, -1);
    expect(lumas[2]).toBeCloseTo(29, -1);
  });

  it('hold the mean luma of each cell at its place', () => {
    const { luma } = statisticsOf((x) => (x < 160 ? [50, 50, 50] : [200, 200, 200]));
    expect(luma).toHaveLength(GRID_CELLS);
    for (const row of [0, 17, 35]) {
      expect(luma[row * GRID_COLUMNS]).toBe(50);
      expect(luma[row * GRID_COLUMNS + 31]).toBe(50);
      expect(luma[row * GRID_COLUMNS + 32]).toBe(200);
      expect(luma[row * GRID_COLUMNS + 63]).toBe(200);
    }
  });

  it('see sharpness: a blurred room has less detail and weaker edges, a noisy dark one does not look blurred', () => {
    const sharp = statisticsOf(roomPaint({ noise: 1 }));
    const blurred = statisticsOf(roomPaint({ noise: 1, blurPx: 8 }));
    const noisy = statisticsOf(roomPaint({ noise: 12 }));
    expect(blurred.laplacianVariance).toBeLessThan(sharp.laplacianVariance / 4);
    expect(blurred.edgeContrast).toBeLessThan(sharp.edgeContrast / 2);
    expect(noisy.laplacianVariance).toBeGreaterThan(sharp.laplacianVariance);
    expect(noisy.edgeContrast).toBeGreaterThan(sharp.edgeContrast * 0.6);
    expect(blurred.gridVariance).toBeGreaterThan(sharp.gridVariance / 2);
  });

  it('count edges that stand out from the noise', () => {
    expect(statisticsOf(roomPaint({})).edgeShare).toBeGreaterThan(0.05);
    expect(statisticsOf((_x, _y, random) => grey(120 + random() * 12)).edgeShare).toBeLessThan(0.01);
  });

  it('know the green of an empty buffer, not a green wall', () => {
    for (const green of [135, 77]) {
      const half: Paint = (_x, y, random) => (y < 90 ? [0, green, 0] : grey(90 + random() * 60));
      expect(statisticsOf(half).greenShare).toBeCloseTo(0.5, 1);
    }
    expect(statisticsOf((_x, _y, random) => [40, 120 + random() * 20, 50]).greenShare).toBe(0);
  });

  it('know the grey that decoders begin with, and a picture of one strong colour', () => {
    expect(statisticsOf(plain(128, 128, 128)).greyShare).toBe(1);
    expect(statisticsOf((_x, _y, random) => grey(124 + random() * 10)).greyShare).toBe(0);
    expect(statisticsOf(plain(230, 20, 210)).castShare).toBe(1);
    const lively: Paint = (x) => (x < 107 ? [230, 30, 30] : x < 214 ? [30, 30, 230] : [30, 200, 40]);
    expect(statisticsOf(lively).castShare).toBeLessThan(0.5);
  });

  it('know smeared columns: edges that go straight down without any noise', () => {
    const columns = Array.from({ length: 320 }, (_, x) => 128 + 100 * Math.sin(x));
    expect(statisticsOf((x) => grey(columns[x]!)).smearShare).toBeGreaterThan(0.9);
    expect(statisticsOf((x, _y, random) => grey(columns[x]! + random() * 8)).smearShare).toBeLessThan(0.2);
  });

  it('keep the noise in single points: with other noise they differ, of the same picture they are the same', () => {
    const once = statisticsOf(roomPaint({}), { seed: 1 });
    expect(statisticsOf(roomPaint({}), { seed: 1 })).toEqual(once);
    const { points } = statisticsOf(roomPaint({}), { seed: 2 });
    const differences = points.map((point, index) => Math.abs(point - once.points[index]!));
    expect(differences.reduce((sum, value) => sum + value, 0) / points.length).toBeGreaterThan(1);
  });

  it('look at the content alone, not at the black beside it, in pictures of any size', () => {
    const data = new Uint8Array(640 * 360 * 3);
    for (let y = 0; y < 200; y++)
      for (let x = 0; x < 100; x++) data.fill(150, (y * 640 + x) * 3, (y * 640 + x) * 3 + 3);
    const sampler = new PictureSampler();
    const content = { contentWidth: 100, contentHeight: 200 };
    const part = sampler.measure({ data, width: 640, height: 360, ...content });
    expect(part).toMatchObject({ meanLuma: 150, highLuma: 150, gridVariance: 0 });
    expect(sampler.measure({ data, width: 640, height: 360 })?.gridVariance).toBeGreaterThan(500);
    // Fewer pixels than cells: no cell stays empty.
    const small = sampler.measure({ data, width: 640, height: 360, contentWidth: 20, contentHeight: 12 });
    expect(new Set(small?.luma)).toEqual(new Set([150]));
    expect(sampler.measure({ data, width: 640, height: 360, contentWidth: 2, contentHeight: 2 })).toBeNull();
  });

  it('take the next picture without a trace of the last', () => {
    const sampler = new PictureSampler();
    const picture = (level: number) => ({
      data: new Uint8Array(64 * 36 * 3).fill(level),
      width: 64,
      height: 36,
    });
    const alone = new PictureSampler().measure(picture(40));
    sampler.measure(picture(200));
    expect(sampler.measure(picture(40))).toEqual(alone);
  });
});

function grey(level: number): readonly [number, number, number] {
  return [level, level, level];
}
