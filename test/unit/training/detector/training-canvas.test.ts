import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/domain/box.js';
import type { PictureTargets, TargetFace } from '../../../../src/training/detector/face-targets.js';
import { type Placement, TrainingCanvas } from '../../../../src/training/detector/training-canvas.js';
import { BACKGROUND, colourAt, drawFace, faceAt, LANDMARK_COLOURS, plainPicture, SKIN } from './pictures.js';

const SIZE_PX = 120;
const WHOLE: Box = { x: 0, y: 0, width: SIZE_PX, height: SIZE_PX };

/** A picture of 100 × 80 with one face of 40 px at (20, 30). */
function canvasWith(placement: Placement, clip = WHOLE, more: Partial<PictureTargets> = {}): TrainingCanvas {
  const picture = plainPicture(100, 80);
  const face = faceAt(20, 30, 40);
  drawFace(picture, face);
  const canvas = new TrainingCanvas(SIZE_PX, 7);
  const targets = { faces: [face], ignored: [], hardNegatives: [], ...more };
  canvas.place({ picture, targets }, placement, clip);
  return canvas;
}

/** Colours under the landmarks, in their order. */
const coloursOf = (canvas: TrainingCanvas, { landmarks }: TargetFace) =>
  landmarks!.map((point) => colourAt(canvas.picture, point));
const middleOf = ({ x, y, width, height }: Box) => ({ x: x + width / 2, y: y + height * 0.4 });

describe('placing', () => {
  it.each<[string, Placement, Box]>([
    ['enlarged', { scale: 2, x: -30, y: -50 }, { x: 10, y: 10, width: 80, height: 80 }],
    ['shrunk', { scale: 0.5, x: 40, y: 8 }, { x: 50, y: 23, width: 20, height: 20 }],
    [
      'at a place between pixels',
      { scale: 1.1, x: 3.3, y: 5.7 },
      { x: 25.3, y: 38.7, width: 44, height: 44 },
    ],
  ])('keeps box and landmarks on the picture, %s', (_, placement, box) => {
    const canvas = canvasWith(placement);
    const [face] = canvas.faces as [TargetFace];
    for (const side of ['x', 'y', 'width', 'height'] as const)
      expect(face.box[side], side).toBeCloseTo(box[side], 6);
    expect(coloursOf(canvas, face)).toEqual(LANDMARK_COLOURS);
    // Skin within the box's corners, none beyond them.
    const { x, y, width, height } = face.box;
    expect(colourAt(canvas.picture, { x: x + 2, y: y + 2 })).toEqual(SKIN);
    expect(colourAt(canvas.picture, { x: x + width - 2, y: y + height - 2 })).toEqual(SKIN);
    expect(colourAt(canvas.picture, { x: x - 2, y: y + 2 })).toEqual(BACKGROUND);
    expect(colourAt(canvas.picture, { x: x + 2, y: y - 2 })).toEqual(BACKGROUND);
    expect(face).toMatchObject({ label: 'without_mask', weight: 1 });
  });

  it('cuts boxes at the edge; by the share to be seen, landmarks go, then the face', () => {
    const cutBy = (px: number) => canvasWith({ scale: 1, x: -20 - px, y: 0 });
    const [whole] = cutBy(5).faces;
    expect(whole!.box).toEqual({ x: 0, y: 30, width: 35, height: 40 });
    expect(whole!.landmarks).not.toBeNull();
    const [part] = cutBy(8).faces;
    expect(part!.box).toEqual({ x: 0, y: 30, width: 32, height: 40 });
    expect(part!.landmarks).toBeNull();
    const little = cutBy(22);
    expect(little.faces).toEqual([]);
    expect(little.ignored).toEqual([{ x: 0, y: 30, width: 18, height: 40 }]);
    const gone = cutBy(40);
    expect([gone.faces, gone.ignored]).toEqual([[], []]);
  });

  it('ignores faces that became too small', () => {
    const canvas = canvasWith({ scale: 0.15, x: 0, y: 0 });
    expect(canvas.faces).toEqual([]);
    expect(canvas.ignored).toEqual([
      { x: 3, y: 4.5, width: expect.closeTo(6, 6), height: expect.closeTo(6, 6) },
    ]);
    expect(canvasWith({ scale: 0.2, x: 0, y: 0 }).faces).toHaveLength(1);
  });

  it('draws and takes over only what falls into the clip', () => {
    const clip: Box = { x: 60, y: 0, width: 60, height: 60 };
    const canvas = canvasWith({ scale: 1, x: 50, y: 0 }, clip, {
      ignored: [{ x: 0, y: 0, width: 20, height: 10 }],
      hardNegatives: [
        { x: 60, y: 50, width: 30, height: 30 },
        { x: 0, y: 70, width: 5, height: 5 },
      ],
    });
    expect(colourAt(canvas.picture, { x: 59, y: 20 })).toEqual([0, 0, 0]);
    expect(colourAt(canvas.picture, { x: 60, y: 20 })).toEqual(BACKGROUND);
    expect(colourAt(canvas.picture, { x: 80, y: 60 })).toEqual([0, 0, 0]);
    expect(canvas.faces.map(({ box }) => box)).toEqual([{ x: 70, y: 30, width: 40, height: 30 }]);
    expect(canvas.ignored).toEqual([{ x: 60, y: 0, width: 10, height: 10 }]);
    expect(canvas.hardNegatives).toEqual([{ x: 110, y: 50, width: 10, height: 10 }]);
  });
});

describe('mirroring', () => {
  it('takes everything along, and right and left landmarks change places', () => {
    const more = {
      ignored: [{ x: 0, y: 0, width: 10, height: 5 }],
      hardNegatives: [{ x: 80, y: 0, width: 20, height: 5 }],
    };
    const canvas = canvasWith({ scale: 1, x: 4, y: 0 }, WHOLE, more);
    canvas.flip();
    const [face] = canvas.faces as [TargetFace];
    expect(face.box).toEqual({ x: SIZE_PX - 64, y: 30, width: 40, height: 40 });
    expect(colourAt(canvas.picture, middleOf(face.box))).toEqual(SKIN);
    // The person's right eye is still on the left; it is the one that was the left eye.
    const [rightEye, leftEye, , rightMouth, leftMouth] = face.landmarks!;
    expect(rightEye.x).toBeLessThan(leftEye.x);
    expect(rightMouth.x).toBeLessThan(leftMouth.x);
    const [red, green, blue, yellow, cyan] = LANDMARK_COLOURS;
    expect(coloursOf(canvas, face)).toEqual([green, red, blue, cyan, yellow]);
    expect(canvas.ignored).toEqual([{ x: 106, y: 0, width: 10, height: 5 }]);
    expect(canvas.hardNegatives).toEqual([{ x: 16, y: 0, width: 20, height: 5 }]);
  });

  it('undoes itself, and leaves faces without landmarks without', () => {
    const canvas = canvasWith({ scale: 1, x: 4, y: 0 });
    canvas.faces.push({ ...faceAt(80, 80, 20), landmarks: null });
    const before = structuredClone([canvas.faces, Uint8Array.from(canvas.picture.data)]);
    canvas.flip();
    expect(canvas.faces[1]!.landmarks).toBeNull();
    canvas.flip();
    expect([canvas.faces, Uint8Array.from(canvas.picture.data)]).toEqual(before);
  });
});
