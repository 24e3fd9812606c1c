import * as tf from '@tensorflow/tfjs-core';
import type { Assignment, CellGrid } from './assign-cells.js';
import type { TargetFace } from './face-targets.js';

/** Values of all cells of a batch: batch · cells × channels; `cls` and `obj` before the sigmoid. */
export interface CellTensors {
  readonly cls: tf.Tensor2D;
  readonly obj: tf.Tensor2D;
  readonly bbox: tf.Tensor2D;
  readonly kps: tf.Tensor2D;
}

export interface LossWeights {
  readonly cls: number;
  readonly obj: number;
  readonly box: number;
  readonly landmarks: number;
  /** Background cells take part in the loss of `cls` with this weight, where their score is not yet next to nothing. */
  readonly clsBackground: number;
}

/** The weights that YuNet was trained with; the last is ours. */
export const LOSS_WEIGHTS: LossWeights = { cls: 1, obj: 1, box: 5, landmarks: 0.1, clsBackground: 0.25 };

/** What the cells of a batch must say, ready for the loss. */
export interface CellTargets {
  /** Per cell: 1 where there is a face. */
  readonly obj: Float32Array;
  readonly weights: Float32Array;
  /** Background cells that take part in the loss of `cls`. */
  readonly clsBackground: Float32Array;
  /** Of the cells with a face: row, weight, overlap of the present box. */
  readonly rows: Int32Array;
  readonly rowWeights: Float32Array;
  readonly overlaps: Float32Array;
  /** Left, top, stride of those cells, pixels. */
  readonly places: Float32Array;
  /** Left, top, right, bottom of their faces, pixels. */
  readonly boxes: Float32Array;
  /** Ten numbers in strides from the cell's corner, and whether they count. */
  readonly landmarks: Float32Array;
  readonly landmarkWeights: Float32Array;
}

/** Score from which on a background cell is worth pushing down in `cls` too. */
const BACKGROUND_SCORE = 0.03;

/** Joins the assignments of the pictures of a batch. `scores`: present score of every cell of every picture. */
export function cellTargets(
  grid: CellGrid,
  pictures: readonly {
    readonly faces: readonly TargetFace[];
    readonly hardNegatives: readonly TargetBox[];
  }[],
  assignments: readonly Assignment[],
  scores: readonly Float32Array[],
  hardNegativeWeight: number,
): CellTargets {
  const total = grid.count * pictures.length;
  const obj = new Float32Array(total);
  const weights = new Float32Array(total);
  const clsBackground = new Float32Array(total);
  const rows: number[] = [];
  const rowWeights: number[] = [];
  const overlaps: number[] = [];
  const places: number[] = [];
  const boxes: number[] = [];
  const landmarks: number[] = [];
  const landmarkWeights: number[] = [];
  assignments.forEach((assignment, index) => {
    const first = index * grid.count;
    const { faces, hardNegatives } = pictures[index]!;
    weights.set(assignment.weights, first);
    for (let cell = 0; cell < grid.count; cell++) {
      if (weights[first + cell] === 0) continue;
      if (hardNegatives.some((box) => isInside(grid, cell, box))) weights[first + cell] = hardNegativeWeight;
      if (scores[index]![cell]! >= BACKGROUND_SCORE) clsBackground[first + cell] = weights[first + cell]!;
    }
    for (const { cell, face, overlap } of assignment.positives) {
      const target = faces[face]!;
      const { box } = target;
      const [left, top, stride] = [grid.x[cell]!, grid.y[cell]!, grid.stride[cell]!];
      obj[first + cell] = 1;
      weights[first + cell] = target.weight;
      clsBackground[first + cell] = 0;
      rows.push(first + cell);
      rowWeights.push(target.weight);
      overlaps.push(overlap);
      places.push(left, top, stride);
      boxes.push(box.x, box.y, box.x + box.width, box.y + box.height);
      landmarkWeights.push(target.landmarks ? target.weight : 0);
      for (let i = 0; i < 5; i++) {
        const point = target.landmarks?.[i] ?? { x: left, y: top };
        landmarks.push((point.x - left) / stride, (point.y - top) / stride);
      }
    }
  });
  return {
    obj,
    weights,
    clsBackground,
    rows: Int32Array.from(rows),
    rowWeights: Float32Array.from(rowWeights),
    overlaps: Float32Array.from(overlaps),
    places: Float32Array.from(places),
    boxes: Float32Array.from(boxes),
    landmarks: Float32Array.from(landmarks),
    landmarkWeights: Float32Array.from(landmarkWeights),
  };
}

type TargetBox = TargetFace['box'];

function isInside(grid: CellGrid, cell: number, box: TargetBox): boolean {
  const half = grid.stride[cell]! / 2;
  const x = grid.x[cell]! + half;
  const y = grid.y[cell]! + half;
  return x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
}

/**
 * Loss of a batch as YuNet was trained (libfacedetection.train): binary cross-entropy of `obj` over all cells, and
 * over the cells with a face that of `cls` against the overlap, EIoU of the box and smooth L1 of the landmarks;
 * sums over the number of such cells. Plus `cls` of background cells that have a score. Ours is not quite YuNet's
 * EIoU: that one is the extended IoU of D. Peng and others ("Extended-IoU Loss", 2021), smoothed near 0.
 */
export function detectionLoss(
  cells: CellTensors,
  targets: CellTargets,
  weights: LossWeights = LOSS_WEIGHTS,
): tf.Scalar {
  const count = Math.max(1, targets.rows.length);
  const flat = (values: Float32Array) => tf.tensor1d(values);
  const objLoss = tf.sum(
    tf.mul(crossEntropy(tf.reshape(cells.obj, [-1]), flat(targets.obj)), flat(targets.weights)),
  );
  const clsLogits = tf.reshape(cells.cls, [-1]) as tf.Tensor1D;
  const background = tf.sum(tf.mul(tf.softplus(clsLogits), flat(targets.clsBackground)));
  let total = tf.add(tf.mul(objLoss, weights.obj), tf.mul(background, weights.clsBackground));
  if (targets.rows.length > 0) {
    const rows = tf.tensor1d(targets.rows, 'int32');
    const rowWeights = flat(targets.rowWeights);
    const clsLoss = tf.sum(
      tf.mul(crossEntropy(tf.gather(clsLogits, rows), flat(targets.overlaps)), rowWeights),
    );
    const boxLoss = tf.sum(tf.mul(eiouLoss(tf.gather(cells.bbox, rows), targets), rowWeights));
    const landmarkLoss = tf.sum(
      tf.mul(
        tf.sum(smoothL1(tf.gather(cells.kps, rows), tf.tensor2d(targets.landmarks, [count, 10])), 1),
        flat(targets.landmarkWeights),
      ),
    );
    total = tf.addN([
      total,
      tf.mul(clsLoss, weights.cls),
      tf.mul(boxLoss, weights.box),
      tf.mul(landmarkLoss, weights.landmarks),
    ]);
  }
  return tf.div(total, count) as tf.Scalar;
}

/** Of logits against targets in [0, 1], element by element. */
function crossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.sub(tf.softplus(logits), tf.mul(logits, targets));
}

/**
 * 1 − IoU + penalties for the distance of the centres and the differences of width and height, each over those of
 * the smallest box around both (Y.-F. Zhang et al., "Focal and Efficient IOU Loss", 2021). One number a row.
 */
export function eiouLoss(
  predicted: tf.Tensor2D,
  { places, boxes }: Pick<CellTargets, 'places' | 'boxes'>,
): tf.Tensor1D {
  const count = predicted.shape[0];
  const column = (values: tf.Tensor2D, index: number) =>
    tf.reshape(tf.slice(values, [0, index], [count, 1]), [count]);
  const place = tf.tensor2d(places, [count, 3]);
  const box = tf.tensor2d(boxes, [count, 4]);
  const stride = column(place, 2);
  const centreX = tf.add(tf.mul(column(predicted, 0), stride), column(place, 0));
  const centreY = tf.add(tf.mul(column(predicted, 1), stride), column(place, 1));
  // A wild guess must not overflow: e^6 strides are more than any picture.
  const width = tf.mul(tf.exp(tf.clipByValue(column(predicted, 2), -6, 6)), stride);
  const height = tf.mul(tf.exp(tf.clipByValue(column(predicted, 3), -6, 6)), stride);
  const [left, right] = [tf.sub(centreX, tf.div(width, 2)), tf.add(centreX, tf.div(width, 2))];
  const [top, bottom] = [tf.sub(centreY, tf.div(height, 2)), tf.add(centreY, tf.div(height, 2))];
  const [boxLeft, boxTop, boxRight, boxBottom] = [0, 1, 2, 3].map((index) => column(box, index)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const boxWidth = tf.sub(boxRight, boxLeft);
  const boxHeight = tf.sub(boxBottom, boxTop);
  const sharedWidth = tf.relu(tf.sub(tf.minimum(right, boxRight), tf.maximum(left, boxLeft)));
  const sharedHeight = tf.relu(tf.sub(tf.minimum(bottom, boxBottom), tf.maximum(top, boxTop)));
  const shared = tf.mul(sharedWidth, sharedHeight);
  const union = tf.sub(tf.add(tf.mul(width, height), tf.mul(boxWidth, boxHeight)), shared);
  const aroundWidth = tf.sub(tf.maximum(right, boxRight), tf.minimum(left, boxLeft));
  const aroundHeight = tf.sub(tf.maximum(bottom, boxBottom), tf.minimum(top, boxTop));
  const distance = tf.add(
    tf.square(tf.sub(centreX, tf.div(tf.add(boxLeft, boxRight), 2))),
    tf.square(tf.sub(centreY, tf.div(tf.add(boxTop, boxBottom), 2))),
  );
  const diagonal = tf.add(tf.square(aroundWidth), tf.square(aroundHeight));
  return tf.addN([
    tf.sub(1, tf.div(shared, union)),
    tf.div(distance, diagonal),
    tf.div(tf.square(tf.sub(width, boxWidth)), tf.square(aroundWidth)),
    tf.div(tf.square(tf.sub(height, boxHeight)), tf.square(aroundHeight)),
  ]) as tf.Tensor1D;
}

/** Half a square below β, a line above (β = 1/9 as in YuNet). */
function smoothL1(predicted: tf.Tensor, target: tf.Tensor): tf.Tensor {
  const beta = 1 / 9;
  const distance = tf.abs(tf.sub(predicted, target));
  const near = tf.minimum(distance, beta);
  // near²/(2β) + (distance − near): the same curve in operations that all have gradients.
  return tf.add(tf.div(tf.square(near), 2 * beta), tf.sub(distance, near));
}
