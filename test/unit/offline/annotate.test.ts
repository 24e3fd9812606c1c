import { describe, expect, it } from 'vitest';
import { iou } from '../../../src/domain/box.js';
import { placeLabel } from '../../../src/offline/annotate.js';

const picture = { width: 300, height: 200 };

describe('placeLabel', () => {
  it('keeps a label within the picture', () => {
    for (const face of [
      { x: 280, y: 50, width: 30, height: 40 },
      { x: -10, y: -5, width: 30, height: 300 },
      { x: 120, y: 190, width: 30, height: 40 },
    ]) {
      const label = placeLabel(face, 100, picture, []);
      expect(label.x).toBeGreaterThanOrEqual(0);
      expect(label.y).toBeGreaterThanOrEqual(0);
      expect(label.x + label.width).toBeLessThanOrEqual(picture.width);
      expect(label.y + label.height).toBeLessThanOrEqual(picture.height);
    }
  });

  it('puts it above the face, and elsewhere where another label is', () => {
    const face = { x: 100, y: 80, width: 40, height: 50 };
    const first = placeLabel(face, 60, picture, []);
    expect(first.y + first.height).toBeLessThanOrEqual(face.y);
    const second = placeLabel({ ...face, x: 110 }, 60, picture, [first]);
    const third = placeLabel({ ...face, x: 105 }, 60, picture, [first, second]);
    expect([iou(first, second), iou(first, third), iou(second, third)]).toEqual([0, 0, 0]);
  });
});
