import { describe, expect, it } from 'vitest';
import { type Box, iou } from '../../../../src/domain/box.js';
import {
  assignCells,
  type CellPredictions,
  cellGrid,
  predictedBox,
} from '../../../../src/training/detector/assign-cells.js';

/** 8 × 8 cells of 8 px, then 4 × 4 of 16 px from 64 on, then 2 × 2 of 32 px from 80 on. */
const grid = cellGrid(64);
const OF_16 = 64;
const OF_32 = 80;
const square = (x: number, y: number, side: number): Box => ({ x, y, width: side, height: side });
const FAR: Box = square(1000, 1000, 8);

/** Every cell tells the box that `boxOf` gives for it, with the score that `scoreOf` gives. */
function telling(
  boxOf: (cell: number) => Box,
  scoreOf: (cell: number) => number = () => 0.5,
): CellPredictions {
  const box = new Float32Array(grid.count * 4);
  for (let cell = 0; cell < grid.count; cell++) {
    const { x, y, width, height } = boxOf(cell);
    const stride = grid.stride[cell]!;
    box.set(
      [
        (x + width / 2 - grid.x[cell]!) / stride,
        (y + height / 2 - grid.y[cell]!) / stride,
        Math.log(width / stride),
        Math.log(height / stride),
      ],
      4 * cell,
    );
  }
  return { score: Float32Array.from({ length: grid.count }, (_, cell) => scoreOf(cell)), box };
}
/** Every cell tells itself. */
const ITSELF = telling((cell) => square(grid.x[cell]!, grid.y[cell]!, grid.stride[cell]!));

describe('cellGrid', () => {
  it('lists the cells of the three strides, row by row', () => {
    expect(grid.count).toBe(64 + 16 + 4);
    const cell = (index: number) => [grid.x[index], grid.y[index], grid.stride[index]];
    expect(cell(9)).toEqual([8, 8, 8]);
    expect(cell(OF_16 + 6)).toEqual([32, 16, 16]);
    expect(cell(OF_32 + 2)).toEqual([0, 32, 32]);
  });

  it('reads a box in strides from the corner of its cell', () => {
    const box = new Float32Array(grid.count * 4);
    box.set([0.5, 0.25, Math.log(2), 0], 4 * (OF_16 + 1));
    const { x, y, width, height } = predictedBox(grid, box, OF_16 + 1);
    expect([x, y, width, height].map((value) => Math.round(value * 1e4) / 1e4)).toEqual([8, -4, 32, 16]);
  });
});

describe('assignCells', () => {
  it.each([
    [8, square(24, 24, 8), 27],
    [16, square(16, 16, 16), OF_16 + 5],
    [32, square(32, 0, 32), OF_32 + 1],
  ])('gives a face of %i px first to the cell of that size under it', (stride, box, cell) => {
    const [best] = assignCells(grid, [{ box }], [], ITSELF).positives;
    expect(best).toMatchObject({ cell, face: 0 });
    expect(best!.overlap).toBeCloseTo(1, 5);
    expect(grid.stride[best!.cell]).toBe(stride);
  });

  it('takes as many cells as the ten best overlaps add up to, and one at least', () => {
    const box = square(16, 16, 16);
    const count = (predictions: CellPredictions) =>
      assignCells(grid, [{ box }], [], predictions).positives.length;
    // By hand: itself 1, four of stride 8 with 1/4 each, one of stride 32 with 1/4: 2.25.
    expect(count(ITSELF)).toBe(2);
    expect(count(telling(() => box))).toBe(10);
    expect(count(telling(() => FAR))).toBe(1);
    expect(assignCells(grid, [], [], ITSELF).positives).toEqual([]);
  });

  it('weighs the logarithm of the overlap three times as much as that of the score', () => {
    const box = square(16, 16, 16);
    const [half, most] = [27, 18];
    const winner = (mostScore: number) =>
      assignCells(
        grid,
        [{ box }],
        [],
        telling(
          // Overlaps of 8/16 and 12.8/16.
          (cell) => (cell === half ? { ...box, width: 8 } : cell === most ? { ...box, width: 12.8 } : FAR),
          (cell) => (cell === half ? 0.9 : mostScore),
        ),
      ).positives.map(({ cell }) => cell);
    // −ln 0.9 − 3 ln 0.5 = 2.185; −ln 0.25 − 3 ln 0.8 = 2.056; −ln 0.2 − 3 ln 0.8 = 2.279.
    expect(winner(0.25)).toEqual([most]);
    expect(winner(0.2)).toEqual([half]);
  });

  it('prefers any cell in the face and near its centre to one outside that tells the face exactly', () => {
    const box = square(24, 24, 16);
    // 18 has its middle at (20, 20): near, but outside; 36 at (36, 36): inside.
    const [outside, inside] = [18, 36];
    const predictions = telling((cell) =>
      cell === outside ? box : cell === inside ? { ...box, width: 4 } : FAR,
    );
    expect(assignCells(grid, [{ box }], [], predictions).positives).toMatchObject([{ cell: inside }]);
  });

  it('leaves the cells of ignored regions alone, and only those', () => {
    const region: Box = { x: 0, y: 0, width: 30, height: 14 };
    const { weights, positives } = assignCells(grid, [], [region], ITSELF);
    expect(positives).toEqual([]);
    const left = [...weights.keys()].filter((cell) => weights[cell] === 0);
    // Middles within 30 × 14: of stride 8 four in each of two rows; of stride 16 two; of 32 none.
    expect(left).toEqual([0, 1, 2, 3, 8, 9, 10, 11, OF_16, OF_16 + 1]);
    expect(weights.every((weight) => weight === 0 || weight === 1)).toBe(true);
  });

  it('lets a face in an ignored region count, with its own cells', () => {
    const box = square(24, 24, 8);
    const { weights, positives } = assignCells(grid, [{ box }], [square(16, 16, 24)], ITSELF);
    expect(positives).toMatchObject([{ cell: 27, face: 0 }]);
    expect(weights[27]).toBe(1);
    expect(weights[18]).toBe(0);
  });

  it('gives a cell that two faces want to the one for which it is cheaper, in either order', () => {
    const [one, other] = [square(20, 20, 20), square(24, 20, 20)];
    const predictions = telling((cell) => (cell === 27 ? other : FAR));
    for (const [faces, winner] of [
      [[{ box: one }, { box: other }], 1],
      [[{ box: other }, { box: one }], 0],
    ] as const)
      expect(assignCells(grid, faces, [], predictions).positives.filter(({ cell }) => cell === 27)).toEqual([
        { cell: 27, face: winner, overlap: expect.closeTo(1, 5) },
      ]);
  });

  it('finds cells of their own for two overlapping faces', () => {
    const faces = [{ box: square(8, 16, 28) }, { box: square(28, 16, 28) }];
    const { positives } = assignCells(grid, faces, [], ITSELF);
    for (const face of [0, 1]) expect(positives.some((positive) => positive.face === face)).toBe(true);
    expect(new Set(positives.map(({ cell }) => cell)).size).toBe(positives.length);
    for (const { cell, face, overlap } of positives)
      expect(overlap).toBeCloseTo(iou(predictedBox(grid, ITSELF.box, cell), faces[face]!.box), 6);
  });
});
