import { describe, expect, it } from 'vitest';
import { decodeYunet, suppressNonMaxima, type YunetLevel } from '../../../src/detection/yunet-decode.js';
import { iou } from '../../../src/domain/box.js';
import { randomNumbers } from '../../support/tiny-models.js';

const INPUT = { inputWidth: 96, inputHeight: 64 };

function emptyLevel(stride: number) {
  const cells = (INPUT.inputWidth / stride) * (INPUT.inputHeight / stride);
  return {
    stride,
    cls: new Float32Array(cells),
    obj: new Float32Array(cells),
    bbox: new Float32Array(4 * cells),
    kps: new Float32Array(10 * cells),
  };
}

const emptyLevels = () => [8, 16, 32].map(emptyLevel);

function put(
  level: YunetLevel,
  at: { row: number; column: number },
  face: { cls: number; obj: number; bbox?: number[]; kps?: number[] },
) {
  const cell = at.row * (INPUT.inputWidth / level.stride) + at.column;
  level.cls[cell] = face.cls;
  level.obj[cell] = face.obj;
  level.bbox.set(face.bbox ?? [0.5, 0.5, 0, 0], 4 * cell);
  level.kps.set(face.kps ?? [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 10 * cell);
}

const decode = (levels: YunetLevel[], scoreThreshold = 0.5) =>
  decodeYunet(levels, { ...INPUT, scoreThreshold });

describe('decodeYunet', () => {
  it('finds nothing in empty outputs, also at threshold 0', () => {
    expect(decode(emptyLevels())).toEqual([]);
    expect(decode(emptyLevels(), 0)).toEqual([]);
  });

  it.each([
    [0, 8],
    [1, 16],
    [2, 32],
  ])('places box and landmarks by the cell and stride (level %i)', (index, stride) => {
    const levels = emptyLevels();
    const kps = [0.1, 0.2, 0.9, 0.2, 0.5, 0.5, 0.2, 0.8, 0.8, 0.8];
    put(
      levels[index]!,
      { row: 1, column: 2 },
      {
        cls: 0.9,
        obj: 0.4,
        bbox: [0.25, 0.75, Math.log(2), Math.log(1.5)],
        kps,
      },
    );
    const faces = decode(levels);
    expect(faces).toHaveLength(1);
    const [face] = faces;
    expect(face!.score).toBeCloseTo(Math.sqrt(0.9 * 0.4), 6);
    expect(face!.box.width).toBeCloseTo(2 * stride, 4);
    expect(face!.box.height).toBeCloseTo(1.5 * stride, 4);
    expect(face!.box.x + face!.box.width / 2).toBeCloseTo(2.25 * stride, 4);
    expect(face!.box.y + face!.box.height / 2).toBeCloseTo(1.75 * stride, 4);
    for (const [i, landmark] of face!.landmarks.entries()) {
      expect(landmark.x).toBeCloseTo((2 + kps[2 * i]!) * stride, 4);
      expect(landmark.y).toBeCloseTo((1 + kps[2 * i + 1]!) * stride, 4);
    }
  });

  it('keeps scores at the threshold and drops those below', () => {
    const levels = emptyLevels();
    put(levels[0]!, { row: 0, column: 0 }, { cls: 0.25, obj: 1 });
    put(levels[0]!, { row: 0, column: 5 }, { cls: 0.24, obj: 1 });
    expect(decode(levels).map(({ score }) => score)).toEqual([0.5]);
  });

  it('holds the score within 0 and 1 when the outputs are beyond', () => {
    const levels = emptyLevels();
    put(levels[0]!, { row: 0, column: 0 }, { cls: 1.0001, obj: 1.2 });
    put(levels[0]!, { row: 4, column: 5 }, { cls: -0.5, obj: -0.9 });
    expect(decode(levels, 0.1).map(({ score }) => score)).toEqual([1]);
  });

  it('leaves out faces that are no numbers', () => {
    const levels = emptyLevels();
    put(levels[0]!, { row: 0, column: 0 }, { cls: Number.NaN, obj: 1 });
    put(levels[1]!, { row: 1, column: 1 }, { cls: 1, obj: 1, bbox: [0, Number.NaN, 0, 0] });
    put(levels[2]!, { row: 1, column: 1 }, { cls: 1, obj: 1, bbox: [0, 0, 2000, 0] });
    expect(decode(levels)).toEqual([]);
  });

  it('returns the best first, over all strides', () => {
    const levels = emptyLevels();
    put(levels[2]!, { row: 0, column: 0 }, { cls: 0.6, obj: 1 });
    put(levels[0]!, { row: 7, column: 11 }, { cls: 0.9, obj: 1 });
    put(levels[1]!, { row: 0, column: 5 }, { cls: 0.7, obj: 1 });
    const scores = decode(levels).map(({ score }) => score ** 2);
    expect(scores.map((score) => Math.round(score * 10))).toEqual([9, 7, 6]);
  });

  it('refuses outputs of another input size', () => {
    const levels = emptyLevels();
    expect(() => decodeYunet(levels, { inputWidth: 128, inputHeight: 64, scoreThreshold: 0.5 })).toThrow(
      expect.objectContaining({ code: 'DETECTOR_BAD_OUTPUT' }),
    );
  });
});

describe('suppressNonMaxima', () => {
  const at = (x: number, score = 1) => ({ box: { x, y: 0, width: 10, height: 10 }, score });

  it('keeps boxes that overlap by no more than the threshold', () => {
    // Shifted by 4 of 10: IoU 6 / 14 = 0.43; by 3: 7 / 13 = 0.54.
    expect(suppressNonMaxima([at(0), at(4)], 0.45, 10)).toHaveLength(2);
    expect(suppressNonMaxima([at(0), at(3)], 0.45, 10)).toEqual([at(0)]);
  });

  it('drops a box on a much better one from less of an overlap on', () => {
    // Shifted by 5 of 10: IoU 5 / 15 = 0.33; by 7: 3 / 17 = 0.18.
    expect(suppressNonMaxima([at(0, 0.9), at(5, 0.35)], 0.45, 10)).toEqual([at(0, 0.9)]);
    expect(suppressNonMaxima([at(0, 0.9), at(5, 0.37)], 0.45, 10)).toHaveLength(2);
    expect(suppressNonMaxima([at(0, 0.9), at(7, 0.2)], 0.45, 10)).toHaveLength(2);
    // Whoever asks for less overlap than that gets it.
    expect(suppressNonMaxima([at(0, 0.9), at(7, 0.2)], 0.1, 10)).toHaveLength(1);
  });

  it('compares with kept boxes only: a suppressed one suppresses nobody', () => {
    expect(suppressNonMaxima([at(0), at(3), at(6)], 0.45, 10)).toEqual([at(0), at(6)]);
  });

  it('stops at the most faces asked for', () => {
    expect(suppressNonMaxima([at(0), at(20), at(40)], 0.45, 2)).toEqual([at(0), at(20)]);
  });

  it('agrees with the definition on random boxes', () => {
    const next = randomNumbers(5);
    const faces = Array.from({ length: 300 }, () => ({
      box: { x: next() * 80, y: next() * 80, width: 5 + next() * 30, height: 5 + next() * 30 },
      score: next(),
    })).sort((a, b) => b.score - a.score);
    const kept = new Set(suppressNonMaxima(faces, 0.45, 1000));
    for (const [index, face] of faces.entries()) {
      const isCovered = faces.slice(0, index).some((better) => {
        const limit = face.score < 0.4 * better.score ? 0.25 : 0.45;
        return kept.has(better) && iou(better.box, face.box) > limit;
      });
      expect(kept.has(face)).toBe(!isCovered);
    }
    expect(kept.size).toBeGreaterThan(10);
    expect(kept.size).toBeLessThan(290);
  });
});
