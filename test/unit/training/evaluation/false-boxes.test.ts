import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../../src/config/schema.js';
import { countFalseBoxes, type FalseBoxOptions } from '../../../../src/training/evaluation/false-boxes.js';
import type { InferencePort } from '../../../../src/training/evaluation/judge.js';
import { landmarksAt } from './faces.js';

const { classification, policy } = configSchema.parse({});
const WIDTH_PX = { mask: 330, bare: 340, hand: 350, wall: 360 };
let folder: string;

/** What the models say goes by the picture's width, so that pictures may be judged in any order. */
const inference: InferencePort = {
  detect: async ({ width }) =>
    ({
      ...{ ok: true, kind: 'detect', durationMs: 0 },
      faces:
        width === WIDTH_PX.wall
          ? []
          : [60, 200].slice(0, width === WIDTH_PX.bare ? 2 : 1).map((x) => ({
              ...{ box: { x, y: 60, width: 50, height: 60 }, score: 0.8, sharpness: 500 },
              landmarks: landmarksAt(x),
            })),
    }) as never,
  classify: async (crops) =>
    ({
      ...{ ok: true, kind: 'classify', durationMs: 0 },
      scores: crops.map(({ pixels }) =>
        pixels.width === WIDTH_PX.mask
          ? { with_mask: 0.9, without_mask: 0.05, mask_worn_incorrectly: 0.05 }
          : { with_mask: 0.05, without_mask: 0.9, mask_worn_incorrectly: 0.05 },
      ),
      faceScores: crops.map(({ pixels }) => (pixels.width === WIDTH_PX.hand ? 0.01 : 0.9)),
    }) as never,
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-false-boxes-'));
  await mkdir(join(folder, 'pictures'));
  for (const [name, width] of Object.entries(WIDTH_PX))
    await sharp({ create: { width, height: 240, channels: 3, background: '#888' } })
      .jpeg()
      .toFile(join(folder, 'pictures', `${name}.jpg`));
});
afterAll(() => rm(folder, { recursive: true }));

const options = (dataDir: string): FalseBoxOptions => ({
  ...{ dataDir, model: 'm', detector: 'd', inference, concurrency: 2, violations: policy.labels },
  rules: {
    ...{ scoreThreshold: 0.5, minFaceScore: 0.1, minCertainty: 0.6, analysedPx: 640 },
    crop: classification,
  },
});

describe('false boxes', () => {
  it('are counted when detected, when the classifier lets them pass, when judged, and as violations', async () => {
    const { count, falseBoxes, thresholds } = await countFalseBoxes(options(folder));
    expect(count).toBe(4);
    const { detected, shown, judged, violations } = falseBoxes.stages;
    expect([detected, shown, judged, violations].map((stage) => stage.count)).toEqual([4, 3, 3, 2]);
    expect([detected, shown, judged, violations].map((stage) => stage.picturesWithAny)).toEqual([3, 2, 2, 1]);
    expect(falseBoxes).toMatchObject({ count: 3, per100: 75, picturesWithAny: 2 });
    expect(falseBoxes.byOutcome).toEqual({
      ...{ with_mask: 1, without_mask: 2, mask_worn_incorrectly: 0, not_assessable: 0 },
    });
    expect(falseBoxes.picturesWithAnyInterval.low).toBeCloseTo(0.15, 2);
    expect(falseBoxes.byKind).toBeUndefined();
    expect(thresholds).toEqual({ detectionScore: 0.5, minFaceScore: 0.1, minCertainty: 0.6 });
  });

  it('are told by kind and part where a manifest knows the pictures', async () => {
    const source = { dataset: 'd', file: 'f', hash: 'a'.repeat(16) };
    const region = { x: 0, y: 0, width: 300, height: 240 };
    const line = (name: string, kind: string, part: string) =>
      JSON.stringify({ file: `pictures/${name}.jpg`, kind, part, source, region });
    const lines = [
      line('hand', 'hand', 'test'),
      line('bare', 'statue', 'test'),
      line('wall', 'background', 'clips'),
    ];
    await writeFile(join(folder, 'manifest.jsonl'), lines.join('\n'));
    const { falseBoxes } = await countFalseBoxes(options(folder));
    expect(falseBoxes.byKind!.hand).toMatchObject({
      ...{ pictures: 1, detected: { count: 1 }, shown: { count: 0, per100Interval: { low: 0 } } },
    });
    expect(falseBoxes.byKind!.statue).toMatchObject({ shown: { count: 2, per100: 200 } });
    expect(Object.keys(falseBoxes.byPart!)).toEqual(['clips', 'not in the manifest', 'test']);
    // Nothing found is no proof: the interval is that of one picture.
    expect(falseBoxes.byPart!.clips!.detected.per100Interval.high).toBeGreaterThan(75);
  });

  it('need pictures', async () => {
    await mkdir(join(folder, 'none'));
    await expect(countFalseBoxes(options(join(folder, 'none')))).rejects.toMatchObject({
      code: 'DATA_NOT_FOUND',
    });
  });
});
