import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { iou } from '../../../src/domain/box.js';
import type { PixelBuffer } from '../../../src/domain/frame.js';
import { annotate, placeLabel } from '../../../src/offline/annotate.js';
import type { DetectionLine } from '../../../src/offline/detection-line.js';

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

describe('annotate', () => {
  it.each(Array.from({ length: 16 }, (_, index) => 130 + 10 * index))(
    'cuts off no end of a label, however wide its letters are drawn: face at %i',
    async (x) => {
      const [width, height] = [300, 120];
      const buffer = new SharedArrayBuffer(width * height * 3);
      new Uint8Array(buffer).fill(255);
      const size = { width, height, contentWidth: width, contentHeight: height };
      const pixels: PixelBuffer = { buffer, byteOffset: 0, ...size };
      const line: DetectionLine = {
        ...{ file: 'a.jpg', frame: 0, timeMs: 0, width, height },
        faces: [
          {
            ...{ box: { x, y: 50, width: 20, height: 50 }, detectionScore: 0.9, landmarks: [] },
            ...{ trackId: 1234, outcome: 'mask_worn_incorrectly' },
            scores: { with_mask: 0.06, without_mask: 0.06, mask_worn_incorrectly: 0.88 },
          },
        ],
      };
      const drawn = await sharp(await annotate(pixels, line))
        .greyscale()
        .raw()
        .toBuffer();
      // Above the box, where the label is.
      const darkest = (column: number) =>
        Math.min(...Array.from({ length: 48 }, (_, y) => drawn[y * width + column]!));
      expect(Math.min(darkest(298), darkest(299))).toBeGreaterThan(150);
      expect(Math.min(...Array.from({ length: 60 }, (_, index) => darkest(230 + index)))).toBeLessThan(80);
    },
  );

  it('shows the beginning of a label that is wider than the picture', () => {
    const label = placeLabel({ x: 20, y: 30, width: 30, height: 30 }, 200, { width: 90, height: 100 }, []);
    expect(label.x).toBeLessThan(8);
  });
});
