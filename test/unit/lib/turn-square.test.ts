import { describe, expect, it } from 'vitest';
import { turnSquare } from '../../../src/lib/turn-square.js';

/** A square whose red counts columns, whose green counts rows. */
function square(sidePx: number) {
  const data = new Uint8Array(sidePx * sidePx * 3);
  for (let y = 0; y < sidePx; y++)
    for (let x = 0; x < sidePx; x++) data.set([10 * x, 10 * y, 7], (y * sidePx + x) * 3);
  return { data, sidePx };
}

const blank = (sidePx: number) => ({ data: new Uint8Array(sidePx * sidePx * 3), sidePx });

describe('turnSquare', () => {
  it('turns clockwise: after a quarter what was on the left is on top', () => {
    const target = blank(5);
    turnSquare(square(5), 90, target);
    for (let y = 0; y < 5; y++)
      for (let x = 0; x < 5; x++)
        expect([...target.data.subarray((y * 5 + x) * 3, (y * 5 + x) * 3 + 3)]).toEqual([
          10 * y,
          10 * (4 - x),
          7,
        ]);
  });

  it('keeps the middle in a smaller target, between pixels the mean of them', () => {
    const target = blank(4);
    turnSquare(square(9), 0, target);
    // Four of nine columns about the centre: 2.5, 3.5, 4.5, 5.5.
    expect([...target.data.subarray(0, 6)]).toEqual([25, 25, 7, 35, 25, 7]);
  });

  it('repeats the edge where nothing is', () => {
    const target = blank(6);
    turnSquare(square(6), 45, target);
    // The corner above, 3.5 pixels from the centre's column and row, comes from left of the picture.
    expect([...target.data.subarray(0, 3)]).toEqual([0, 25, 7]);
  });
});
