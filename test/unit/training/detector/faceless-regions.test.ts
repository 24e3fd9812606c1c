import { describe, expect, it } from 'vitest';
import { type Box, boxCentre } from '../../../../src/domain/box.js';
import { seededRandom } from '../../../../src/lib/random.js';
import { facelessRegions } from '../../../../src/training/detector/faceless-regions.js';
import { cutRegion } from '../../../../src/training/detector/measure-detector.js';
import { BACKGROUND, colourAt, drawFace, faceAt, plainPicture, SKIN } from './pictures.js';

const PICTURE = { width: 320, height: 200 };
const FACES: Box[] = [
  { x: 130, y: 60, width: 40, height: 50 },
  { x: 20, y: 20, width: 20, height: 20 },
];
const RULES = { most: 3, sideShare: [0.25, 0.5], clearance: 0.3 } as const;
const draws = (faces = FACES, rules = RULES) =>
  Array.from({ length: 100 }, (_, seed) => facelessRegions(PICTURE, faces, rules, seededRandom(seed)));

describe('facelessRegions', () => {
  it('lie within the picture on whole pixels, and keep clear of faces', () => {
    const regions = draws().flat();
    expect(regions.length).toBeGreaterThan(150);
    for (const { x, y, width, height } of regions) {
      for (const value of [x, y, width, height]) expect(Number.isInteger(value)).toBe(true);
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(PICTURE.width);
      expect(y + height).toBeLessThanOrEqual(PICTURE.height);
      expect(width).toBeGreaterThanOrEqual(50);
      expect(width).toBeLessThanOrEqual(100);
      for (const face of FACES) {
        const room = 0.3 * Math.max(face.width, face.height);
        const apart = Math.max(
          face.x - x - width,
          x - face.x - face.width,
          face.y - y - height,
          y - face.y - face.height,
        );
        expect(apart).toBeGreaterThanOrEqual(room - 1e-9);
      }
    }
  });

  it('are so many at the most, and none has the middle of another', () => {
    const all = draws();
    expect(Math.max(...all.map((regions) => regions.length))).toBe(3);
    for (const regions of all)
      for (const a of regions)
        for (const b of regions) {
          if (a === b) continue;
          const { x, y } = boxCentre(b);
          expect(x >= a.x && x < a.x + a.width && y >= a.y && y < a.y + a.height).toBe(false);
        }
  });

  it('are the same for the same seed, and none where faces are everywhere', () => {
    expect(draws()).toEqual(draws());
    expect(draws()[0]).not.toEqual(draws()[1]);
    expect(draws([{ x: 0, y: 0, ...PICTURE }]).flat()).toEqual([]);
  });

  it('are cut out of the picture pixel by pixel', () => {
    const picture = plainPicture(60, 50);
    drawFace(picture, { ...faceAt(20, 10, 20), landmarks: null });
    const cut = cutRegion(picture, { x: 18, y: 8, width: 12, height: 9 });
    expect([cut.width, cut.height, cut.data.length]).toEqual([12, 9, 12 * 9 * 3]);
    expect(colourAt(cut, { x: 1, y: 8 })).toEqual(BACKGROUND);
    expect(colourAt(cut, { x: 2, y: 1 })).toEqual(BACKGROUND);
    expect(colourAt(cut, { x: 2, y: 2 })).toEqual(SKIN);
    expect(colourAt(cut, { x: 11, y: 8 })).toEqual(SKIN);
  });
});
