import { describe, expect, it } from 'vitest';
import type { DecodedFace } from '../../../../src/detection/yunet-decode.js';
import type { Box } from '../../../../src/domain/box.js';
import type { ScenePicture } from '../../../../src/training/dataset/picture.js';
import { type DetectedScene, detectionFigures } from '../../../../src/training/detector/detection-figures.js';
import { meritOf } from '../../../../src/training/detector/detector-recipe.js';
import { faceAt } from './pictures.js';

const square = (x: number, y: number, side: number): Box => ({ x, y, width: side, height: side });

/** A scene of 640 × 480: sizes in it are the sizes that are told. */
function sceneOf(parts: Partial<ScenePicture>): ScenePicture {
  return {
    kind: 'scene',
    path: '/a.png',
    id: 'a/a.png',
    dataset: 'a/a',
    width: 640,
    height: 480,
    faces: [],
    unclassified: [],
    ignored: [],
    notFaces: [],
    ...parts,
  };
}

function seen({ x, y, width }: Box, score = 0.9): DecodedFace {
  const { box, landmarks } = faceAt(x, y, width);
  return { box, landmarks: landmarks!, score };
}

const figuresOf = (parts: Partial<ScenePicture>, faces: readonly DecodedFace[], threshold = 0.5) =>
  detectionFigures([{ scene: sceneOf(parts), faces, reference: [] }], threshold);

describe('faces found', () => {
  const masked = { box: square(10, 10, 50), label: 'with_mask' } as const;
  const bare = { box: square(100, 10, 30), label: 'without_mask' } as const;
  const small = { box: square(200, 10, 15), label: 'without_mask' } as const;
  const wrong = { box: square(300, 10, 100), label: 'mask_worn_incorrectly' } as const;

  it('are counted by label and size, those under 16 px apart', () => {
    const figures = figuresOf({ faces: [masked, bare, small, wrong] }, [
      seen(masked.box),
      seen(small.box),
      seen(wrong.box),
    ]);
    expect(figures.byLabel).toEqual({
      with_mask: { found: 1, of: 1 },
      without_mask: { found: 0, of: 1 },
      mask_worn_incorrectly: { found: 1, of: 1 },
    });
    expect(figures.bySize).toEqual({
      16: { found: 0, of: 0 },
      24: { found: 0, of: 1 },
      40: { found: 1, of: 1 },
      80: { found: 1, of: 1 },
    });
    expect(figures.bareBySize).toMatchObject({ 24: { found: 0, of: 1 }, 40: { found: 0, of: 0 } });
    expect(figures.smaller).toEqual({ found: 1, of: 1 });
    expect(figures.extraPer100).toBe(0);
  });

  it('have the size that they have when the picture is brought to 640 px', () => {
    const large = detectionFigures(
      [{ scene: sceneOf({ width: 1280, height: 960, faces: [bare] }), faces: [], reference: [] }],
      0.5,
    );
    expect(large.smaller).toEqual({ found: 0, of: 1 });
  });

  it('need a box with an IoU of 0.35 and a score at the threshold', () => {
    const found = (box: Box, score: number) =>
      figuresOf({ faces: [masked] }, [seen(box, score)]).byLabel.with_mask.found;
    expect(found(masked.box, 0.5)).toBe(1);
    expect(found(masked.box, 0.49)).toBe(0);
    // 26 of 74 px in common, and 25 of 75.
    expect(found(square(34, 10, 50), 0.9)).toBe(1);
    expect(found(square(35, 10, 50), 0.9)).toBe(0);
  });

  it('do not share a box', () => {
    const twins = [masked, { ...masked, box: square(14, 10, 50) }];
    expect(figuresOf({ faces: twins }, [seen(masked.box)]).byLabel.with_mask).toEqual({ found: 1, of: 2 });
  });
});

describe('extra boxes', () => {
  const label = 'with_mask' as const;

  it('are those on no known face, out of ignored regions, per 100 pictures', () => {
    const scene = sceneOf({
      faces: [{ box: square(10, 10, 40), label }],
      unclassified: [square(100, 10, 40)],
      ignored: [square(200, 0, 100)],
    });
    const faces = [
      seen(square(10, 10, 40)),
      seen(square(100, 10, 40)),
      // Half of it lies in the region; of the next, less.
      seen(square(280, 10, 40)),
      seen(square(285, 60, 40)),
      seen(square(400, 200, 40)),
      seen(square(500, 200, 40), 0.3),
    ];
    const one: DetectedScene = { scene, faces, reference: [] };
    const none: DetectedScene = { scene: sceneOf({}), faces: [], reference: [] };
    expect(detectionFigures([one], 0.5).extraPer100).toBe(200);
    expect(detectionFigures([one, none], 0.5).extraPer100).toBe(100);
    expect(detectionFigures([one], 0.2).extraPer100).toBe(300);
    expect(detectionFigures([], 0.5).extraPer100).toBe(0);
  });

  it('are no second boxes on a face', () => {
    const face = { box: square(100, 100, 40), label };
    expect(figuresOf({ faces: [face] }, [seen(face.box), seen(square(105, 105, 20), 0.6)]).extraPer100).toBe(
      0,
    );
    expect(figuresOf({ faces: [face] }, [seen(face.box), seen(square(90, 90, 80), 0.6)]).extraPer100).toBe(0);
  });

  it('on places known to be no face are told apart', () => {
    const notFaces = [square(10, 10, 40), square(300, 300, 40)];
    const figures = figuresOf({ notFaces }, [seen(square(12, 10, 40))]);
    expect(figures.notFaces).toEqual({ found: 1, of: 2 });
    expect(figures.extraPer100).toBe(100);
  });
});

describe('the comparison with the reference', () => {
  it('is the mean overlap, and the distance of the landmarks over that of the eyes', () => {
    const scene = sceneOf({});
    const reference = [seen(square(100, 100, 40)), seen(square(300, 100, 40))];
    // The eyes are 16 px apart; the second face is not found.
    const figures = detectionFigures([{ scene, faces: [seen(square(104, 100, 40))], reference }], 0.5);
    expect(figures.referenceIou).toBeCloseTo(36 / 44, 6);
    expect(figures.landmarkError).toBeCloseTo(4 / 16, 6);
  });
});

describe('meritOf', () => {
  /** `masked`, `bare` and `small` of ten faces each. */
  const at = (extraPer100: number, masked: number, bare: number, small: number) => ({
    ...figuresOf({}, []),
    extraPer100,
    byLabel: {
      with_mask: { found: masked, of: 10 },
      without_mask: { found: bare, of: 10 },
      mask_worn_incorrectly: { found: 0, of: 10 },
    },
    smaller: { found: small, of: 10 },
  });

  it('is the mean of the shares at the first thresholds with 25 and 100 extra boxes at the most', () => {
    const figures = [at(300, 10, 10, 10), at(100, 9, 8, 6), at(26, 8, 8, 5), at(25, 6, 7, 4), at(0, 1, 1, 1)];
    // Masked faces count twice, small ones by half.
    const expected = ((2 * 0.9 + 0.8 + 0.5 * 0.6) / 3.5 + (2 * 0.6 + 0.7 + 0.5 * 0.4) / 3.5) / 2;
    expect(meritOf(figures)).toBeCloseTo(expected, 10);
  });

  it('counts nothing for a number of extra boxes that is never reached, and is 1 at best', () => {
    expect(meritOf([at(60, 10, 10, 10)])).toBeCloseTo(0.5, 10);
    expect(meritOf([at(200, 10, 10, 10)])).toBe(0);
    expect(meritOf([at(0, 10, 10, 10)])).toBeCloseTo(1, 10);
  });
});
