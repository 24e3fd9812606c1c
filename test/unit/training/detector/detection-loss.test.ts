import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/domain/box.js';
import type { Landmarks } from '../../../../src/domain/face.js';
import { type Assignment, cellGrid } from '../../../../src/training/detector/assign-cells.js';
import {
  type CellTensors,
  cellTargets,
  detectionLoss,
  eiouLoss,
} from '../../../../src/training/detector/detection-loss.js';
import type { TargetFace } from '../../../../src/training/detector/face-targets.js';

/** 16 cells of 8 px, 4 of 16 px, one of 32 px: number 20. */
const grid = cellGrid(32);
const BIG = 20;
const LANDMARKS = [0.25, 0.75, 0.5, 0.25, 0.75].map((share) => ({
  x: share * 32,
  y: 16,
})) as unknown as Landmarks;
const FACE: TargetFace = {
  box: { x: 8, y: 8, width: 16, height: 16 },
  landmarks: LANDMARKS,
  label: 'with_mask',
  weight: 1,
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Only the cells told have a weight, so that the sums stay short. */
function assignment(weights: Readonly<Record<number, number>>, positives: Assignment['positives'] = []) {
  const all = new Float32Array(grid.count);
  for (const [cell, weight] of Object.entries(weights)) all[Number(cell)] = weight;
  return { weights: all, positives };
}

function targetsOf(
  one: Assignment,
  face: TargetFace = FACE,
  hardNegatives: readonly Box[] = [],
  score: (cell: number) => number = () => 0,
) {
  const scores = [Float32Array.from({ length: grid.count }, (_, cell) => score(cell))];
  return cellTargets(grid, [{ faces: [face], hardNegatives }], [one], scores, 3);
}

/** Values by cell; zero elsewhere. */
function cellsOf(
  values: Partial<Record<keyof CellTensors, Readonly<Record<number, readonly number[]>>>>,
): CellTensors {
  const tensor = (kind: keyof CellTensors, channels: number) => {
    const data = new Float32Array(grid.count * channels);
    for (const [cell, numbers] of Object.entries(values[kind] ?? {}))
      data.set(numbers, Number(cell) * channels);
    return tf.tensor2d(data, [grid.count, channels]);
  };
  return { cls: tensor('cls', 1), obj: tensor('obj', 1), bbox: tensor('bbox', 4), kps: tensor('kps', 10) };
}

const numberOf = (loss: tf.Tensor) => loss.dataSync()[0]!;
/** What a perfect network says of the landmarks, strides from the corner of the big cell. */
const PERFECT_KPS = LANDMARKS.flatMap(({ x, y }) => [x / 32, y / 32]);

describe('cellTargets', () => {
  it('weighs cells: faces by their own weight, hard negatives more, ignored ones not at all', () => {
    const one = assignment({ 0: 1, 1: 1, 5: 1, [BIG]: 1 }, [{ cell: BIG, face: 0, overlap: 0.5 }]);
    // The middles of cells 1, 2 and 20 lie in it: 2 is ignored, 20 shows a face.
    const targets = targetsOf(one, { ...FACE, weight: 0.7 }, [{ x: 8, y: 0, width: 16, height: 20 }]);
    expect(targets.weights[0]).toBe(1);
    expect(targets.weights[1]).toBe(3);
    expect(targets.weights[2]).toBe(0);
    expect(targets.weights[BIG]).toBeCloseTo(0.7, 6);
    expect([...targets.obj.keys()].filter((cell) => targets.obj[cell] === 1)).toEqual([BIG]);
    expect(targets.rowWeights[0]).toBeCloseTo(0.7, 6);
  });

  it('puts `cls` down only on background with a score', () => {
    const one = assignment({ 0: 1, 1: 1, [BIG]: 1 }, [{ cell: BIG, face: 0, overlap: 0.5 }]);
    const { clsBackground } = targetsOf(one, FACE, [], (cell) => (cell === 0 ? 0.02 : 0.03125));
    expect([...clsBackground.keys()].filter((cell) => clsBackground[cell] !== 0)).toEqual([1]);
  });

  it('keeps the pictures of a batch apart', () => {
    const other: TargetFace = { ...FACE, box: { x: 1, y: 2, width: 3, height: 4 }, landmarks: null };
    const empty = assignment({});
    const one = assignment({ 7: 1 }, [{ cell: 7, face: 1, overlap: 0.25 }]);
    const scores = [0, 1].map(() => new Float32Array(grid.count));
    const pictures = [
      { faces: [], hardNegatives: [] },
      { faces: [FACE, other], hardNegatives: [] },
    ];
    const targets = cellTargets(grid, pictures, [empty, one], scores, 3);
    expect([...targets.rows]).toEqual([grid.count + 7]);
    expect(targets.weights[grid.count + 7]).toBe(1);
    expect([...targets.boxes]).toEqual([1, 2, 4, 6]);
    expect([...targets.places]).toEqual([24, 8, 8]);
    expect([...targets.landmarkWeights]).toEqual([0]);
  });

  it('tells landmarks in strides from the corner of the cell', () => {
    const one = assignment({ 5: 1 }, [{ cell: 5, face: 0, overlap: 1 }]);
    const { landmarks, landmarkWeights } = targetsOf(one);
    // Cell 5 begins at (8, 8).
    expect([...landmarks.subarray(0, 4)]).toEqual([0, 1, 2, 1]);
    expect([...landmarkWeights]).toEqual([1]);
  });
});

describe('detectionLoss', () => {
  it('is the weighted cross-entropy of `obj` where there is no face', () => {
    const targets = targetsOf(assignment({ 0: 1, 1: 1 }), FACE, [{ x: 8, y: 0, width: 8, height: 8 }]);
    // ln(1 + e^0) and three times ln(1 + 3); cell 9 is ignored.
    const loss = detectionLoss(cellsOf({ obj: { 1: [Math.log(3)], 9: [50] } }), targets);
    expect(numberOf(loss)).toBeCloseTo(Math.log(2) + 3 * Math.log(4), 5);
  });

  it('adds a quarter of `cls` on background with a score', () => {
    const targets = targetsOf(assignment({ 0: 1 }), FACE, [], () => 0.5);
    const loss = detectionLoss(cellsOf({ cls: { 0: [Math.log(3)] } }), targets);
    expect(numberOf(loss)).toBeCloseTo(Math.log(2) + 0.25 * Math.log(4), 5);
  });

  it('adds score, box and landmarks of a cell with a face, by hand', () => {
    const one = assignment({ [BIG]: 1 }, [{ cell: BIG, face: 0, overlap: 0.5 }]);
    const kps = [...PERFECT_KPS];
    kps[0]! += 1;
    kps[5]! -= 1 / 18;
    const cells = cellsOf({
      cls: { [BIG]: [Math.log(3)] },
      // 32 × 32 about the centre of the face of 16 × 16.
      bbox: { [BIG]: [0.5, 0.5, 0, 0] },
      kps: { [BIG]: kps },
    });
    const obj = Math.log(2);
    const cls = Math.log(4) - 0.5 * Math.log(3);
    // 1 − 1/4, no distance, (16/32)² for width and for height.
    const box = 0.75 + 0.25 + 0.25;
    // Beyond β = 1/9 a line, d − β/2; below it d²/(2β).
    const landmarks = 1 - 1 / 18 + (1 / 18) ** 2 * 4.5;
    const expected = obj + cls + 5 * box + 0.1 * landmarks;
    expect(numberOf(detectionLoss(cells, targetsOf(one)))).toBeCloseTo(expected, 5);
    expect(numberOf(detectionLoss(cells, targetsOf(one, { ...FACE, weight: 0.5 })))).toBeCloseTo(
      expected / 2,
      5,
    );
    const blind = targetsOf(one, { ...FACE, landmarks: null });
    expect(numberOf(detectionLoss(cells, blind))).toBeCloseTo(obj + cls + 5 * box, 5);
  });

  it('is the mean over the cells with a face', () => {
    const positives = [
      { cell: BIG, face: 0, overlap: 1 },
      { cell: 5, face: 0, overlap: 1 },
    ];
    const perfect = (left: number, stride: number) => ({
      bbox: [(16 - left) / stride, (16 - left) / stride, Math.log(16 / stride), Math.log(16 / stride)],
      kps: LANDMARKS.flatMap(({ x, y }) => [(x - left) / stride, (y - left) / stride]),
    });
    const [big, small] = [perfect(0, 32), perfect(8, 8)];
    const loss = detectionLoss(
      cellsOf({ bbox: { [BIG]: big.bbox, 5: small.bbox }, kps: { [BIG]: big.kps, 5: small.kps } }),
      targetsOf(assignment({ [BIG]: 1, 5: 1 }, positives)),
    );
    // Two cells with ln 2 of `obj` and ln 2 of `cls` each.
    expect(numberOf(loss)).toBeCloseTo(2 * Math.log(2), 4);
  });

  it('pulls in the right direction', () => {
    const one = assignment({ 0: 1, [BIG]: 1 }, [{ cell: BIG, face: 0, overlap: 0.9 }]);
    // To the left of the face and above it, too wide and too low; the first landmark too far right, the nose's y too high up.
    const kps = [...PERFECT_KPS];
    kps[0]! += 0.5;
    kps[5]! -= 0.5;
    const start = cellsOf({ bbox: { [BIG]: [0.2, 0.3, 0.5, -1.5] }, kps: { [BIG]: kps } });
    const targets = targetsOf(one, FACE, [], () => 0.5);
    const [cls, obj, bbox, landmarks] = tf
      .grads((...parts: tf.Tensor[]) => {
        const [c, o, b, k] = parts as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        return detectionLoss({ cls: c, obj: o, bbox: b, kps: k }, targets);
      })([start.cls, start.obj, start.bbox, start.kps])
      .map((gradient) => [...gradient.dataSync()]) as [number[], number[], number[], number[]];
    expect(obj[BIG]).toBeLessThan(0);
    expect(obj[0]).toBeGreaterThan(0);
    expect(obj[1]).toBe(0);
    expect(cls[BIG]).toBeLessThan(0);
    expect(cls[0]).toBeGreaterThan(0);
    expect(bbox.slice(BIG * 4).map(Math.sign)).toEqual([-1, -1, 1, -1]);
    expect(Math.sign(landmarks[BIG * 10]!)).toBe(1);
    expect(Math.sign(landmarks[BIG * 10 + 5]!)).toBe(-1);
    expect(bbox.slice(0, BIG * 4).every((value) => value === 0)).toBe(true);
  });
});

describe('eiouLoss', () => {
  const places = Float32Array.of(0, 0, 32);
  const boxes = Float32Array.of(8, 8, 24, 24);
  const lossOf = (...box: [number, number, number, number]) =>
    numberOf(eiouLoss(tf.tensor2d(box, [1, 4]), { places, boxes }));

  it('is nothing for the box itself, and by hand for one beside it', () => {
    expect(lossOf(0.5, 0.5, Math.log(0.5), Math.log(0.5))).toBeCloseTo(0, 5);
    // 32 px to the right: no overlap; centres 32 apart, the box around both 48 × 16.
    expect(lossOf(1.5, 0.5, Math.log(0.5), Math.log(0.5))).toBeCloseTo(1 + 32 ** 2 / (48 ** 2 + 16 ** 2), 5);
    // Half as wide: IoU 1/2, a quarter of the width squared.
    expect(lossOf(0.5, 0.5, Math.log(0.25), Math.log(0.5))).toBeCloseTo(0.5 + (8 / 16) ** 2, 5);
  });

  it('falls all the way as the box comes nearer, also before they touch', () => {
    const side = Math.log(0.5);
    for (const path of [
      [4, 3, 2, 1.2, 0.9, 0.7, 0.5].map((x) => lossOf(x, 0.5, side, side)),
      [-3, -2, -1, 0, 0.3, 0.5].map((y) => lossOf(0.5, y, side, side)),
      [2, 1, 0, -0.4, side].map((width) => lossOf(0.5, 0.5, width, side)),
      [-3, -2, -1, side].map((height) => lossOf(0.5, 0.5, side, height)),
    ])
      expect(path.every((loss, index) => index === 0 || loss < path[index - 1]!)).toBe(true);
  });

  it('stays a number for a wild guess', () => {
    expect(Number.isFinite(lossOf(0, 0, 200, -200))).toBe(true);
  });
});
