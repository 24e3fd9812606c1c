import { describe, expect, it } from 'vitest';
import { iou } from '../../../../src/domain/box.js';
import type { FaceDetection, Landmarks } from '../../../../src/domain/face.js';
import type { ScenePicture } from '../../../../src/training/dataset/picture.js';
import { trainingSources, validationSources } from '../../../../src/training/fine-tune/crop-sources.js';
import type { SeenPicture } from '../../../../src/training/fine-tune/find-detections.js';
import { beside, placesWithoutFace } from '../../../../src/training/fine-tune/places-without-face.js';
import { production } from '../../../../src/training/recipes/production.js';

const frame = { width: 640, height: 480 };
const faces = [
  { x: 100, y: 100, width: 60, height: 80 },
  { x: 400, y: 200, width: 40, height: 50 },
];
const point = { x: 0, y: 0 };
const landmarks: Landmarks = [point, point, point, point, point];
const detection = (x: number, y: number, score: number): FaceDetection => ({
  box: { x, y, width: 60, height: 80 },
  score,
  landmarks,
  sharpness: 100,
});

describe('places without a face', () => {
  it('keep clear of everything that may be one', () => {
    const places = placesWithoutFace(frame, faces, 12, 'a');
    expect(places.length).toBeGreaterThan(6);
    for (const place of places) {
      for (const face of faces) expect(iou(place, face)).toBe(0);
      expect(place.x).toBeGreaterThanOrEqual(0);
      expect(place.x + place.width).toBeLessThanOrEqual(640);
    }
    expect(placesWithoutFace(frame, faces, 12, 'a')).toEqual(places);
    expect(placesWithoutFace(frame, [{ x: 0, y: 0, width: 640, height: 480 }], 12, 'a')).toEqual([]);
  });

  it('lie next to a face, and not on another', () => {
    const blocked = { x: 0, y: 190, width: 640, height: 290 };
    for (const seed of ['a', 'b', 'c', 'd']) {
      const places = beside(faces, frame, faces, 5, seed);
      for (const place of places)
        for (const face of faces) expect(iou(place, face)).toBeLessThanOrEqual(0.06);
      for (const place of beside(faces, frame, [...faces, blocked], 5, seed))
        expect(iou(place, blocked)).toBeLessThanOrEqual(0.06);
    }
  });
});

describe('places of a scene', () => {
  const picture: ScenePicture = {
    kind: 'scene',
    path: '/x.jpg',
    id: 'scenes/ilc/x.jpg',
    dataset: 'scenes/ilc',
    ...frame,
    faces: [
      { box: { x: 102, y: 104, width: 60, height: 80 }, label: 'without_mask' },
      { box: { x: 400, y: 200, width: 40, height: 50 }, label: 'mask_worn_incorrectly' },
      { box: { x: 10, y: 10, width: 5, height: 6 }, label: 'with_mask' },
    ],
    unclassified: [{ x: 500, y: 50, width: 30, height: 40 }],
    ignored: [],
    notFaces: [{ x: 300, y: 300, width: 60, height: 80 }],
  };
  const seen: SeenPicture = {
    picture,
    print: {
      contentHash: '0123456789abcdef',
      perceptual: new Uint32Array(8),
      perceptualMirrored: new Uint32Array(8),
    },
    ...frame,
    detections: [detection(100, 100, 0.9), detection(300, 300, 0.4), detection(550, 380, 0.06)],
  };

  it('take the detector’s box, keep the label’s own, and what small faces and false boxes are worth', () => {
    const sources = trainingSources([seen], ['train'], production);
    const bare = sources.find(({ target, painted }) => target === 'without_mask' && !painted)!;
    expect(bare.box).toEqual({ x: 100, y: 100, width: 60, height: 80 });
    expect(bare.labelledBox).toEqual({ x: 102, y: 104, width: 60, height: 80 });
    const incorrect = sources.find(({ group }) => group === 'scenes/ilc mask_worn_incorrectly')!;
    expect(incorrect).toMatchObject({ labelledBox: null, landmarks: null, variants: 20 });
    expect(sources.filter(({ painted }) => painted).map(({ target }) => target)).toEqual([
      'with_mask',
      'mask_worn_incorrectly',
    ]);
    // 5 pixels are too few for this set's rule.
    expect(sources.some(({ group }) => group === 'scenes/ilc with_mask')).toBe(false);
    expect(sources.filter(({ target }) => target === 'unclassified')).toHaveLength(1);
    const confirmed = sources.filter(({ group }) => group.endsWith(' confirmed'));
    expect(confirmed).toMatchObject([
      { box: picture.notFaces[0], weight: production.negatives.confirmedWeight },
    ]);
    const others = sources.filter(
      ({ target, group }) => target === 'not_a_face' && !group.endsWith('confirmed'),
    );
    expect(others.length).toBeGreaterThan(2);
    // The doubtful detection may be a face that nobody labelled.
    for (const { box } of others) expect(iou(box, seen.detections[2]!.box)).toBeLessThanOrEqual(0.06);
  });

  it('are one plain crop each where figures are taken, and belong to one part', () => {
    const sources = validationSources([seen], ['validation'], production);
    expect(sources.every(({ variants }) => variants === 1)).toBe(true);
    expect(sources.some(({ painted }) => painted)).toBe(false);
    expect(trainingSources([seen], ['validation'], production)).toEqual([]);
    expect(trainingSources([seen], ['test'], production)).toEqual([]);
    expect(validationSources([seen], ['test'], production)).toEqual([]);
  });
});
