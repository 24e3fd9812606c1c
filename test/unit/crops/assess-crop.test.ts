import { describe, expect, it } from 'vitest';
import { assessCrop, eyeSpan } from '../../../src/crops/assess-crop.js';
import type { Box } from '../../../src/domain/box.js';
import type { FaceDetection, Landmarks } from '../../../src/domain/face.js';
import { makeFace } from '../tracking/make-face.js';

const GEOMETRY = { frameWidth: 1280, frameHeight: 720, sourceScale: 2 };
const THRESHOLDS = { minFacePx: 16, minSharpness: 20 };
const assess = (face: FaceDetection, geometry = GEOMETRY) => assessCrop(face, geometry, THRESHOLDS);
const box = (x: number, y: number, width = 80, height = 100): Box => ({ x, y, width, height });

/** A face in `yaw` degrees: the eyes draw together and everything moves to one side of the box. */
function turned(yawDegrees: number, score: number): FaceDetection {
  const yaw = (yawDegrees * Math.PI) / 180;
  const face = makeFace(box(400, 200), score);
  const landmarks = face.landmarks.map(({ x, y }) => ({
    x: 440 + (x - 440) * Math.cos(yaw) + 30 * Math.sin(yaw),
    y,
  })) as unknown as Landmarks;
  return { ...face, landmarks };
}

describe('assessCrop', () => {
  it('judges a large, sharp, frontal face, with high quality', () => {
    const { assessable, quality } = assess({ ...makeFace(box(400, 200, 160, 200)), sharpness: 1500 });
    expect(assessable).toBe(true);
    expect(quality).toBeGreaterThan(0.95);
  });

  it.each([
    ['too_small', makeFace(box(400, 200, 31, 40))],
    ['cut_off', makeFace(box(-20, 200))],
    ['cut_off', makeFace(box(1220, 200))],
    ['blurred', { ...makeFace(box(400, 200)), sharpness: 19 }],
    ['turned_away', turned(85, 0.6)],
  ] as const)('says %s', (reason, face) => {
    expect(assess(face)).toMatchObject({ assessable: false, reason });
  });

  it('measures the shorter side in pixels of the analysed picture', () => {
    const face = makeFace(box(400, 200, 24, 30));
    expect(assess(face, { ...GEOMETRY, sourceScale: 1 }).assessable).toBe(true);
    expect(assess(face, { ...GEOMETRY, sourceScale: 2 })).toMatchObject({ reason: 'too_small' });
    expect(assess(makeFace(box(400, 200, 32, 40))).assessable).toBe(true);
  });

  it('says cut off when the mouth is below the frame, though little of the box is', () => {
    const face = makeFace(box(400, 632));
    const chinOut = makeFace(box(400, 630));
    const lowMouth = face.landmarks.map((point, index) =>
      index > 2 ? { ...point, y: 725 } : point,
    ) as unknown as Landmarks;
    expect(assess({ ...face, landmarks: lowMouth })).toMatchObject({ reason: 'cut_off' });
    expect(assess(chinOut).assessable).toBe(true);
  });

  it('judges a profile that the detector is sure of, at lower quality', () => {
    const profile = assess(turned(85, 0.85));
    expect(profile.assessable).toBe(true);
    expect(profile.quality).toBeLessThan(assess(turned(0, 0.85)).quality);
  });

  it('does not care where the detector guesses nose and mouth under a mask', () => {
    const face = makeFace(box(400, 200));
    const [rightEye, leftEye] = face.landmarks;
    const landmarks: Landmarks = [
      rightEye,
      leftEye,
      { x: 475, y: 290 },
      { x: 405, y: 295 },
      { x: 420, y: 260 },
    ];
    expect(assess({ ...face, landmarks, score: 0.5 })).toEqual(assess({ ...face, score: 0.5 }));
  });

  it('does not take a tilted head for a turned one', () => {
    const face = makeFace(box(400, 200, 100, 100));
    const landmarks = face.landmarks.map(({ x, y }) => ({
      x: 450 - (y - 250),
      y: 250 + (x - 450),
    })) as unknown as Landmarks;
    expect(eyeSpan(landmarks, face.box)).toBeCloseTo(eyeSpan(face.landmarks, face.box), 9);
    expect(assess({ ...face, landmarks, score: 0.5 }).assessable).toBe(true);
  });

  it('rates a crop higher the larger, sharper, more frontal and more complete it is', () => {
    const base = { ...turned(40, 0.9), sharpness: 200 };
    const { quality } = assess(base);
    expect(assess({ ...base, sharpness: 100 }).quality).toBeLessThan(quality);
    expect(assess(base, { ...GEOMETRY, sourceScale: 3 }).quality).toBeLessThan(quality);
    expect(assess({ ...turned(60, 0.9), sharpness: 200 }).quality).toBeLessThan(quality);
    expect(assess(base, { ...GEOMETRY, frameWidth: 475 }).quality).toBeLessThan(quality);
  });

  it('gives a quality in [0, 1] to anything', () => {
    const odd: FaceDetection[] = [
      makeFace(box(0, 0, 0, 0)),
      makeFace(box(-500, -500)),
      makeFace(box(0, 0, 1280, 720)),
      { ...makeFace(box(10, 10)), sharpness: Number.NaN },
      { ...makeFace(box(10, 10)), sharpness: 1e9 },
    ];
    for (const face of odd) {
      const { quality } = assess(face);
      expect(quality).toBeGreaterThanOrEqual(0);
      expect(quality).toBeLessThanOrEqual(1);
    }
    expect(odd.map((face) => assess(face).assessable)).toEqual([false, false, true, false, true]);
  });
});
