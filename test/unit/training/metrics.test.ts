import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/lib/random.js';
import { averagePrecision } from '../../../src/training/evaluation/average-precision.js';
import {
  calibratedScores,
  expectedCalibrationError,
  fitCalibration,
  reliabilityBins,
  softmax,
} from '../../../src/training/metrics/calibration.js';
import { classificationMetrics } from '../../../src/training/metrics/classification-metrics.js';

describe('classificationMetrics', () => {
  it('counts by hand', () => {
    const faces = [
      { labelled: 0, judged: 0 },
      { labelled: 0, judged: 0 },
      { labelled: 0, judged: 1 },
      { labelled: 0, judged: null },
      { labelled: 1, judged: 1 },
      { labelled: 1, judged: 0 },
    ];
    const { accuracy, labels, macroF1, confusion, count } = classificationMetrics(faces);
    expect(count).toBe(6);
    expect(accuracy).toBe(0.5);
    expect(labels.with_mask).toMatchObject({ precision: 2 / 3, recall: 0.5, support: 4 });
    expect(labels.with_mask.f1).toBeCloseTo(4 / 7, 12);
    expect(labels.without_mask).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
    expect(labels.mask_worn_incorrectly).toEqual({ precision: 0, recall: 0, f1: 0, support: 0 });
    // The label that does not occur stays out of the mean.
    expect(macroF1).toBeCloseTo((4 / 7 + 0.5) / 2, 12);
    expect(confusion.rows).toEqual([
      [2, 1, 0],
      [1, 1, 0],
      [0, 0, 0],
    ]);
  });

  it('is all zero on nothing', () => {
    expect(classificationMetrics([])).toMatchObject({ count: 0, accuracy: 0, macroF1: 0 });
  });
});

describe('calibration', () => {
  it('measures how far scores are from the share that is right', () => {
    const judgements = [
      ...Array.from({ length: 10 }, (_, i) => ({ score: 0.9, isRight: i < 7 })),
      ...Array.from({ length: 10 }, (_, i) => ({ score: 0.6, isRight: i < 6 })),
    ];
    const bins = reliabilityBins(judgements, 10);
    expect(bins[9]).toMatchObject({ count: 10, accuracy: 0.7 });
    expect(bins[9]!.meanScore).toBeCloseTo(0.9, 12);
    expect(expectedCalibrationError(bins)).toBeCloseTo(0.1, 12);
    expect(expectedCalibrationError(reliabilityBins([{ score: 1, isRight: true }]))).toBe(0);
  });

  it('finds the temperature and the biases by which logits were changed', () => {
    const random = seededRandom(3);
    const logits: number[][] = [];
    const labelled: number[] = [];
    const offsets = [0.5, 0.5, -1];
    for (let i = 0; i < 4000; i++) {
      const plain = [random.normal() * 2, random.normal() * 2, random.normal() * 2];
      const scores = softmax(plain);
      const draw = random.next();
      labelled.push(draw < scores[0]! ? 0 : draw < scores[0]! + scores[1]! ? 1 : 2);
      logits.push(plain.map((value, label) => (value - offsets[label]!) * 2.5));
    }
    const { temperature, bias } = fitCalibration(logits, labelled);
    expect(temperature).toBeGreaterThan(2.3);
    expect(temperature).toBeLessThan(2.7);
    offsets.forEach((offset, label) => {
      expect(Math.abs(bias[label]! - offset)).toBeLessThan(0.15);
    });
    const calibrated = calibratedScores(logits[0]!, { temperature, bias });
    expect(calibrated.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('softmax adds up to 1 and stands large logits', () => {
    expect(softmax([1000, 1000, -1000])).toEqual([0.5, 0.5, 0]);
  });
});

describe('averagePrecision', () => {
  it('is the area under the interpolated curve', () => {
    const ranked = [true, false, true].map((isOnFace, i) => ({ isOnFace, score: 1 - i / 10 }));
    // Recall 0.5 at precision 1, then recall 1 at precision 2/3.
    expect(averagePrecision(ranked, 2)).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
    expect(averagePrecision(ranked, 4)).toBeCloseTo(0.25 + 0.25 * (2 / 3), 12);
    expect(averagePrecision([], 3)).toBe(0);
  });
});
