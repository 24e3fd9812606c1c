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
  it('cuts off no end of a label at the right edge, however wide its letters are drawn', async () => {
    const [width, height] = [300, 120];
    const buffer = new SharedArrayBuffer(width * height * 3);
    new Uint8Array(buffer).fill(255);
    const size = { width, height, contentWidth: width, contentHeight: height };
    const pixels: PixelBuffer = { buffer, byteOffset: 0, ...size };
    const line: DetectionLine = {
      ...{ file: 'a.jpg', frame: 0, timeMs: 0, width, height },
      faces: [
        {
          ...{ box: { x: 250, y: 50, width: 40, height: 50 }, detectionScore: 0.9, landmarks: [] },
          ...{ trackId: 1234, outcome: 'mask_worn_incorrectly' },
          scores: { with_mask: 0.06, without_mask: 0.06, mask_worn_incorrectly: 0.88 },
        },
      ],
    };
    const drawn = await sharp(await annotate(pixels, line))
      .greyscale()
      .raw()
      .toBuffer();
    const darkest = (columns: readonly number[]) =>
      Math.min(...columns.flatMap((x) => Array.from({ length: height }, (_, y) => drawn[y * width + x]!)));
    expect(darkest([298, 299])).toBeGreaterThan(150);
    // The label ends there.
    expect(darkest([288, 289, 290, 291, 292, 293, 294, 295])).toBeLessThan(80);
  });
});
