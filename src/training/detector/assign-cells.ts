import { type Box, iou } from '../../domain/box.js';
import { STRIDES } from './detector-session.js';
import type { TargetFace } from './face-targets.js';

/** All cells of the three levels of a square input, stride after stride, row by row. */
export interface CellGrid {
  readonly count: number;
  /** Left and top edge of each cell and its stride, pixels of the input. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly stride: Float32Array;
}

export function cellGrid(sizePx: number): CellGrid {
  const cells = STRIDES.flatMap((stride) => {
    const side = Math.floor(sizePx / stride);
    return Array.from({ length: side * side }, (_, cell) => ({
      x: (cell % side) * stride,
      y: Math.floor(cell / side) * stride,
      stride,
    }));
  });
  return {
    count: cells.length,
    x: Float32Array.from(cells, ({ x }) => x),
    y: Float32Array.from(cells, ({ y }) => y),
    stride: Float32Array.from(cells, ({ stride }) => stride),
  };
}

/** What the network says of one picture at present: score in [0, 1] and box (four numbers, see decode) of each cell. */
export interface CellPredictions {
  readonly score: Float32Array;
  readonly box: Float32Array;
}

export interface Assignment {
  /** Cell, the face that it must show, and the overlap of its present box with that face. */
  readonly positives: readonly { readonly cell: number; readonly face: number; readonly overlap: number }[];
  /** 1: counts as background or as a face; 0: left alone. */
  readonly weights: Float32Array;
}

const CANDIDATES = 10;
/** Cells no further than this from a face's centre may show it, strides. */
const CENTRE_RADIUS = 2.5;
const IOU_COST = 3;
const OUTSIDE_COST = 1e5;

/**
 * Which cells must show which faces: SimOTA (Z. Ge et al., "YOLOX: Exceeding YOLO Series in 2021"), as YuNet was
 * trained. Each face takes as many cells as the sum of its ten best overlaps, the cheapest first; a cell that two
 * faces want goes to the cheaper. Cells with their middle in an ignored region and without a face get weight 0.
 */
export function assignCells(
  grid: CellGrid,
  faces: readonly Pick<TargetFace, 'box'>[],
  ignored: readonly Box[],
  predictions: CellPredictions,
): Assignment {
  const weights = new Float32Array(grid.count).fill(1);
  for (const region of ignored)
    for (let cell = 0; cell < grid.count; cell++) if (isMiddleIn(grid, cell, region)) weights[cell] = 0;
  const taken = new Map<number, { face: number; cost: number; overlap: number }>();
  faces.forEach(({ box }, face) => {
    const candidates = candidatesOf(grid, box, predictions);
    const overlaps = candidates.map(({ overlap }) => overlap).sort((a, b) => b - a);
    const sum = overlaps.slice(0, CANDIDATES).reduce((total, overlap) => total + overlap, 0);
    const wanted = Math.max(1, Math.floor(sum));
    candidates.sort((a, b) => a.cost - b.cost);
    for (const { cell, cost, overlap } of candidates.slice(0, wanted)) {
      const other = taken.get(cell);
      if (!other || other.cost > cost) taken.set(cell, { face, cost, overlap });
    }
  });
  const positives = [...taken].map(([cell, { face, overlap }]) => ({ cell, face, overlap }));
  for (const { cell } of positives) weights[cell] = 1;
  return { positives, weights };
}

interface Candidate {
  readonly cell: number;
  readonly cost: number;
  readonly overlap: number;
}

/** Cells in the face's box or near its centre; those in both are far cheaper. */
function candidatesOf(grid: CellGrid, box: Box, predictions: CellPredictions): Candidate[] {
  const centreX = box.x + box.width / 2;
  const centreY = box.y + box.height / 2;
  const candidates: Candidate[] = [];
  for (let cell = 0; cell < grid.count; cell++) {
    const stride = grid.stride[cell]!;
    const reach = CENTRE_RADIUS * stride;
    const isNear =
      Math.abs(grid.x[cell]! + stride / 2 - centreX) < reach &&
      Math.abs(grid.y[cell]! + stride / 2 - centreY) < reach;
    const isInside = isMiddleIn(grid, cell, box);
    if (!isNear && !isInside) continue;
    const overlap = iou(predictedBox(grid, predictions.box, cell), box);
    const score = Math.min(Math.max(predictions.score[cell]!, 1e-6), 1);
    candidates.push({
      cell,
      overlap,
      cost: -Math.log(score) - IOU_COST * Math.log(overlap + 1e-7) + (isNear && isInside ? 0 : OUTSIDE_COST),
    });
  }
  return candidates;
}

/** The box that a cell tells, pixels of the input. */
export function predictedBox(grid: CellGrid, box: Float32Array, cell: number): Box {
  const stride = grid.stride[cell]!;
  const width = Math.exp(box[4 * cell + 2]!) * stride;
  const height = Math.exp(box[4 * cell + 3]!) * stride;
  return {
    x: grid.x[cell]! + box[4 * cell]! * stride - width / 2,
    y: grid.y[cell]! + box[4 * cell + 1]! * stride - height / 2,
    width,
    height,
  };
}

function isMiddleIn(grid: CellGrid, cell: number, box: Box): boolean {
  const half = grid.stride[cell]! / 2;
  const x = grid.x[cell]! + half;
  const y = grid.y[cell]! + half;
  return x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
}
