import { expect, it } from 'vitest';
import { cropRequestOf } from '../../../src/crops/crop-request.js';
import type { FaceDetection } from '../../../src/domain/face.js';

it('asks about a face with its box, the detector’s score, and how far the head leans', () => {
  const pixels = {
    ...{ buffer: new SharedArrayBuffer(12), byteOffset: 0 },
    ...{ width: 2, height: 2, contentWidth: 2, contentHeight: 2 },
  };
  const box = { x: 10, y: 20, width: 30, height: 40 };
  // On its right side: what is right of the nose in an upright face lies above it.
  const at = (x: number, y: number) => ({ x, y });
  const landmarks: FaceDetection['landmarks'] = [at(40, 20), at(40, 40), at(30, 30), at(20, 22), at(20, 38)];
  const request = cropRequestOf({ box, score: 0.83, landmarks, sharpness: 90 }, pixels);
  expect(request).toEqual({ pixels, box, detectionScore: 0.83, rollDegrees: 90 });
});
