import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../../src/config/schema.js';
import { judgePicture } from '../../../../src/training/evaluation/judge-pictures.js';
import type { Observation, ObservedDetection } from '../../../../src/training/evaluation/observe-picture.js';
import { landmarksAt, scene } from './faces.js';

const scores = { with_mask: 0.9, without_mask: 0.06, mask_worn_incorrectly: 0.04 };
const traits = { brightness: 120, sharpness: 900, skinShare: 0.1, lowerColour: 'blue' as const };
const rules = {
  ...{ scoreThreshold: 0.5, minFaceScore: 0.6, minCertainty: 0.5, analysedPx: 640 },
  crop: configSchema.parse({}).classification,
};

function at(x: number, more: Partial<ObservedDetection>): ObservedDetection {
  return {
    ...{ box: { x, y: 60, width: 50, height: 60 }, score: 0.8, sharpness: 900, scores, faceScore: 0.9 },
    landmarks: landmarksAt(x),
    ...more,
  };
}

describe('judgePicture', () => {
  it('tells what the classifier turned away from what the detector never saw', () => {
    const places = [40, 160, 280, 400];
    const picture = scene('a.jpg', {
      faces: places.map((x) => ({ box: { x, y: 60, width: 50, height: 60 }, label: 'with_mask' })),
    });
    const observation: Observation = {
      ...{ width: 640, height: 480 },
      faces: places.map(() => ({ scores, faceScore: 1, traits })),
      detections: [at(40, {}), at(160, { faceScore: 0.59 }), at(280, { score: 0.49 })],
    };
    const { faces } = judgePicture(picture, observation, rules);
    expect(faces.map(({ isDetected }) => isDetected)).toEqual([true, true, false, false]);
    expect(faces.map(({ isFound }) => isFound)).toEqual([true, false, false, false]);
    expect(faces[0]!.reason).toBeNull();
  });
});
