import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/lib/random.js';
import { augmentLive } from '../../../../src/training/fine-tune/live-augment.js';

const SIDE_PX = 2;
const MIRRORED_AND_TURNED_ALONE = {
  flipChance: 0.5,
  turnFacelessChance: 1,
  brightness: 1,
  contrast: 1,
  cast: 1,
  greyChance: 0,
  erase: { chance: 0, maxSide: 0 },
};

/** Every way in which the four corners come out, and that colours stay together. */
function waysOut(isFace: boolean): Set<string> {
  const ways = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const pixels = Uint8Array.from([0, 1, 2, 3].flatMap((corner) => [corner, 100 + corner, 200 + corner]));
    augmentLive(pixels, SIDE_PX, isFace, MIRRORED_AND_TURNED_ALONE, seededRandom(String(seed)));
    const corners = [0, 3, 6, 9].map((at) => pixels[at]!);
    for (const [index, corner] of corners.entries())
      expect([...pixels.subarray(index * 3, index * 3 + 3)]).toEqual([corner, 100 + corner, 200 + corner]);
    ways.add(corners.join(''));
  }
  return ways;
}

describe('augmentLive', () => {
  it('turns what is no face all ways, and a face none', () => {
    expect([...waysOut(true)].sort()).toEqual(['0123', '1032']);
    // The eight symmetries of a square, row by row.
    expect([...waysOut(false)].sort()).toEqual(
      ['0123', '1032', '2301', '3210', '0213', '1302', '2031', '3120'].sort(),
    );
  });
});
