import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { classificationMetrics } from '../../../../src/training/metrics/classification-metrics.js';
import { labelAverages } from '../../../../src/training/report/label-averages.js';
import { niceTicks, trainingCurves } from '../../../../src/training/report/line-chart.js';
import { duration, writeTrainingReport } from '../../../../src/training/report/training-report.js';

/** 3 of 4 masks and 5 of 6 bare faces right. */
const metrics = classificationMetrics([
  ...Array.from({ length: 3 }, () => ({ labelled: 0, judged: 0 })),
  { labelled: 0, judged: 1 },
  ...Array.from({ length: 5 }, () => ({ labelled: 1, judged: 1 })),
  { labelled: 1, judged: 0 },
]);
const epochs = [0.9, 0.5, 0.6].map((validationLoss, i) => ({
  epoch: i + 1,
  trainingLoss: 1 / (i + 1),
  trainingAccuracy: 0.6 + i / 10,
  validationLoss,
  validationAccuracy: 0.8,
  learningRate: 1e-4,
  seconds: 3,
}));

describe('labelAverages', () => {
  it('counts each label that occurs once, or by its support', () => {
    const { macro, weighted } = labelAverages(metrics);
    expect(macro.recall).toBeCloseTo((3 / 4 + 5 / 6) / 2);
    expect(weighted.recall).toBeCloseTo(0.8);
    expect(weighted.precision).toBeCloseTo((4 * (3 / 4) + 6 * (5 / 6)) / 10);
    expect(weighted.support).toBe(10);
  });
});

describe('niceTicks', () => {
  it('covers the range in round steps', () => {
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(0.13, 0.71, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
    expect(niceTicks(1, 50, 8)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(niceTicks(2, 2, 5).length).toBeGreaterThan(1);
  });
});

describe('trainingCurves', () => {
  it('leaves out what was not counted', () => {
    const svg = trainingCurves(
      epochs.map((figures) => ({ ...figures, trainingAccuracy: null })),
      2,
    );
    expect(svg.match(/<path d="M\d+(\.\d+)? [^V]*?" fill="none" stroke="#/g)).toHaveLength(3);
    expect(svg).not.toContain('NaN');
  });
});

describe('duration', () => {
  it('is told in two units at most', () => {
    expect([9.4, 65, 3725].map(duration)).toEqual(['9 s', '1 min 05 s', '1 h 02 min']);
  });
});

describe('writeTrainingReport', () => {
  it('writes the figures, the curves and the confusion matrix', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'maskwatch-report-'));
    try {
      await writeTrainingReport(join(directory, 'report'), {
        model: 'a <model>',
        recipe: 'paper',
        description: 'Two labels.',
        seed: 7,
        epochs,
        bestEpoch: 2,
        stoppedBecause: 'all epochs done',
        sets: [{ name: 'validation', metrics }],
        data: { 'trained on': '600 pictures' },
        seconds: 65,
        facts: {
          at: '2026-11-24T05:00:00Z',
          versions: { node: '20' },
          machine: { cpu: 'some', cores: 2, memoryGb: 4, platform: 'linux x64' },
        },
        notes: ['a note'],
      });
      const files = await readdir(join(directory, 'report'));
      expect(files.sort()).toEqual([
        ...['confusion-1.png', 'confusion-1.svg', 'curves.png', 'curves.svg', 'report.html'],
      ]);
      const html = await readFile(join(directory, 'report', 'report.html'), 'utf8');
      for (const text of ['a &lt;model&gt;', '8 of 10 right', 'weighted average', '1 min 05 s', 'a note'])
        expect(html).toContain(text);
      expect(html).not.toContain('mask_worn_incorrectly');
      const { data, info } = await sharp(join(directory, 'report', 'curves.png'))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(info.width).toBeGreaterThan(1800);
      const has = ([r, g, b]: [number, number, number]) => {
        for (let i = 0; i < data.length; i += 3)
          if (data[i] === r && data[i + 1] === g && data[i + 2] === b) return true;
        return false;
      };
      expect([has([0x00, 0x72, 0xb2]), has([0xd5, 0x5e, 0x00])]).toEqual([true, true]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
