import { GRID_CELLS, type PictureStatistics } from '../../src/domain/picture.js';
import { PictureSampler } from '../../src/ingest/picture-statistics.js';

/** A pixel's red, green and blue, each 0–255; `random` in [0, 1). */
export type Paint = (x: number, y: number, random: () => number) => readonly [number, number, number];

const sampler = new PictureSampler();

/** The same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Statistics of a painted picture of 320 × 180 pixels, or of another size. */
export function statisticsOf(
  paint: Paint,
  options: { seed?: number; width?: number; height?: number } = {},
): PictureStatistics {
  const { width = 320, height = 180 } = options;
  const random = seeded(options.seed ?? 1);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(paint(x, y, random), (y * width + x) * 3);
  const statistics = sampler.measure({ data: new Uint8Array(data.buffer), width, height });
  if (!statistics) throw new Error(`${width} × ${height} pixels are too few`);
  return statistics;
}

/**
 * A room: shapes of many sizes, the same for the same `room`, seen with an offset, and with noise. Values between 40 and
 * 200 before `light` and noise.
 */
export function roomPaint(
  options: {
    room?: number;
    offsetX?: number;
    light?: number;
    noise?: number;
    /** Pixels from the middle of an edge to its ends; sharp is 1. */
    blurPx?: number;
  } = {},
): Paint {
  const { room = 7, offsetX = 0, light = 1, noise = 3, blurPx = 1 } = options;
  const random = seeded(room * 7919);
  const shapes = Array.from({ length: 40 }, () => ({
    x: random() * 480 - 80,
    y: random() * 180,
    halfWidth: 8 + random() * 40,
    halfHeight: 8 + random() * 40,
    level: 40 + random() * 160,
  }));
  const within = (distance: number) => Math.min(1, Math.max(0, 0.5 + distance / (2 * blurPx)));
  return (x, y, noiseOf) => {
    let level = 120;
    for (const shape of shapes) {
      const across = shape.halfWidth - Math.abs(x + offsetX - shape.x);
      const down = shape.halfHeight - Math.abs(y - shape.y);
      const share = within(across) * within(down);
      level += share * (shape.level - level);
    }
    const value = level * light + (noiseOf() - 0.5) * 2 * noise;
    return [value, value, value];
  };
}

/** Statistics without a picture, where a test needs nothing but one. */
export function anyStatistics(overrides: Partial<PictureStatistics> = {}): PictureStatistics {
  return {
    luma: new Uint8Array(GRID_CELLS).fill(100),
    points: new Uint8Array(GRID_CELLS).fill(100),
    ...{ meanLuma: 100, highLuma: 200, clippedShare: 0, laplacianVariance: 100, gridVariance: 500 },
    ...{ edgeShare: 0.2, edgeContrast: 40, greenShare: 0, greyShare: 0, castShare: 0, smearShare: 0 },
    ...overrides,
  };
}
