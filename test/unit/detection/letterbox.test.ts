import { describe, expect, it } from 'vitest';
import { letterbox, placeLetterbox } from '../../../src/detection/letterbox.js';

/** Every pixel tells its column and row. */
function picture(width: number, height: number, content?: { contentWidth: number; contentHeight: number }) {
  const data = new Uint8Array(width * height * 3).fill(255);
  for (let y = 0; y < (content?.contentHeight ?? height); y++) {
    for (let x = 0; x < (content?.contentWidth ?? width); x++)
      data.set([x % 256, y % 256, 99], (y * width + x) * 3);
  }
  return { data, width, height, ...content };
}

const pixel = (data: Uint8Array, width: number, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('placeLetterbox', () => {
  it.each([
    ['fits by its width', [640, 360, 640, 384], { scale: 1, contentWidth: 640, contentHeight: 360 }],
    [
      'is scaled down by its width',
      [1280, 720, 640, 384],
      { scale: 0.5, contentWidth: 640, contentHeight: 360 },
    ],
    [
      'is scaled down by its height',
      [480, 960, 640, 384],
      { scale: 0.4, contentWidth: 192, contentHeight: 384 },
    ],
    ['is scaled up', [160, 120, 640, 384], { scale: 3.2, contentWidth: 512, contentHeight: 384 }],
    [
      'is never without a pixel',
      [10_000, 1, 640, 384],
      { scale: 0.064, contentWidth: 640, contentHeight: 1 },
    ],
  ] as const)('a picture %s', (_, [width, height, inputWidth, inputHeight], expected) => {
    expect(placeLetterbox(width, height, inputWidth, inputHeight)).toEqual(expected);
  });
});

describe('letterbox', () => {
  it('copies a picture of the input’s width and blackens what is below', () => {
    const source = picture(64, 36);
    const input = new Uint8Array(64 * 64 * 3).fill(7);
    expect(letterbox(source, input, 64, 64)).toEqual({ scale: 1, contentWidth: 64, contentHeight: 36 });
    expect(input.subarray(0, source.data.length)).toEqual(source.data);
    expect(new Set(input.subarray(source.data.length))).toEqual(new Set([0]));
  });

  it('copies a picture of the input’s height and blackens what is beside', () => {
    const input = new Uint8Array(64 * 32 * 3).fill(7);
    letterbox(picture(40, 32), input, 64, 32);
    for (const [x, y] of [
      [0, 0],
      [39, 31],
      [12, 20],
    ] as const)
      expect(pixel(input, 64, x, y)).toEqual([x, y, 99]);
    for (const [x, y] of [
      [40, 0],
      [63, 31],
      [40, 31],
    ] as const)
      expect(pixel(input, 64, x, y)).toEqual([0, 0, 0]);
  });

  it('takes only the content of a buffer, and leaves nothing of an earlier picture', () => {
    const source = picture(64, 64, { contentWidth: 64, contentHeight: 36 });
    const input = new Uint8Array(64 * 64 * 3).fill(7);
    letterbox(source, input, 64, 64);
    expect(pixel(input, 64, 5, 35)).toEqual([5, 35, 99]);
    expect(new Set(input.subarray(64 * 36 * 3))).toEqual(new Set([0]));
  });

  it('halves a picture of twice the size by averaging', () => {
    const input = new Uint8Array(64 * 64 * 3);
    const { scale } = letterbox(picture(128, 100), input, 64, 64);
    expect(scale).toBe(0.5);
    // Average of columns 2x and 2x + 1, halves rounded up.
    expect(pixel(input, 64, 10, 20)).toEqual([21, 41, 99]);
    expect(pixel(input, 64, 10, 50)).toEqual([0, 0, 0]);
  });

  it('maps back by its scale', () => {
    const input = new Uint8Array(64 * 64 * 3);
    const source = { data: new Uint8Array(200 * 100 * 3), width: 200, height: 100 };
    // A white square from (150, 50), 20 pixels wide.
    for (let y = 50; y < 70; y++) source.data.fill(255, (y * 200 + 150) * 3, (y * 200 + 170) * 3);
    const { scale } = letterbox(source, input, 64, 64);
    const white = [...Array(64 * 64).keys()].filter((i) => input[i * 3]! > 127);
    const xs = white.map((i) => i % 64);
    expect(Math.min(...xs) / scale).toBeCloseTo(150, -1);
    expect((Math.max(...xs) + 1) / scale).toBeCloseTo(170, -1);
  });
});
