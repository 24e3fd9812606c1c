import { describe, expect, it } from 'vitest';
import type { MaskLabel, NotAssessableReason } from '../../../src/domain/label.js';
import { NO_CORRECTIONS } from '../../../src/training/dataset/correct-pictures.js';
import type { PortraitPicture } from '../../../src/training/dataset/picture.js';
import { worstErrors } from '../../../src/training/evaluation/contact-sheet.js';
import { evaluationReport } from '../../../src/training/evaluation/evaluation-report.js';
import type { FaceRecord } from '../../../src/training/evaluation/judge-pictures.js';
import { sizeName } from '../../../src/training/evaluation/slice-names.js';

const picture: PortraitPicture = {
  kind: 'portrait',
  path: '/x/1.jpg',
  id: '1',
  dataset: 'some/set',
  label: 'with_mask',
};

function face(
  label: MaskLabel,
  judged: MaskLabel,
  more: { isFound?: boolean; reason?: NotAssessableReason; facePx?: number; score?: number } = {},
): FaceRecord {
  const { isFound = true, reason = null, facePx = 40, score = 0.8 } = more;
  const rest = (1 - score) / 2;
  const scores = { with_mask: rest, without_mask: rest, mask_worn_incorrectly: rest, [judged]: score };
  const box = { x: 0, y: 0, width: facePx, height: facePx };
  return {
    ...{
      picture,
      label,
      box,
      labelledBox: box,
      facePx,
      referencePx: facePx,
      isFound,
      isDetected: isFound,
      scores,
      reason,
    },
    faceScore: 1,
    quality: isFound ? 0.5 : null,
    yawDegrees: 0,
    traits: { brightness: 120, sharpness: 900, skinShare: 0.1, lowerColour: 'blue' },
  };
}

const scenes = {
  model: 'm',
  data: 'd',
  isScenes: true,
  isComplete: false,
  corrections: NO_CORRECTIONS,
};
const faces = [
  face('with_mask', 'with_mask'),
  face('with_mask', 'with_mask', { isFound: false }),
  face('without_mask', 'without_mask', { reason: 'too_small', facePx: 12 }),
  face('without_mask', 'mask_worn_incorrectly', { score: 0.9 }),
];
const unsure = { with_mask: 0.4, without_mask: 0.4, mask_worn_incorrectly: 0.2 };
const judged = [
  {
    picture,
    faces,
    leftOut: 0,
    unmatched: [
      {
        box: faces[0]!.box,
        score: 0.6,
        scores: unsure,
        faceScore: 1,
        facePx: 20,
        outcome: 'without_mask' as const,
      },
      {
        box: faces[0]!.box,
        score: 0.6,
        scores: unsure,
        faceScore: 1,
        facePx: 200,
        outcome: 'not_assessable' as const,
      },
    ],
    detections: [
      { score: 0.9, isOnFace: true },
      { score: 0.8, isOnFace: false },
    ],
  },
];

describe('evaluationReport', () => {
  it('counts faces that were not found or not assessable as misses', () => {
    const report = evaluationReport(judged, scenes);
    expect(report).toMatchObject({ count: 4, accuracy: 0.25, pictures: 1 });
    expect(report.labels.with_mask).toMatchObject({ precision: 1, recall: 0.5, support: 2 });
    expect(report.labels.without_mask).toMatchObject({ recall: 0, support: 2 });
    expect(report.confusion.rows).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 0],
    ]);
    expect(report.notAssessable).toMatchObject({ count: 1, byReason: { too_small: 1, blurred: 0 } });
    // Judged: one at 0.8 that is right, one at 0.9 that is wrong.
    expect(report.ece).toBeCloseTo((0.2 + 0.9) / 2, 12);
  });

  it('tells the classifier apart from the detector', () => {
    expect(evaluationReport(judged, scenes).givenTheBox).toMatchObject({ count: 4, accuracy: 0.75 });
  });

  it('keeps unlabelled faces out of precision unless all are labelled', () => {
    expect(evaluationReport(judged, scenes).detection).toMatchObject({
      recallByLabel: { with_mask: 0.5, without_mask: 1 },
      precision: null,
      ap50: null,
      unmatched: {
        count: 2,
        bySizePx: { '16 to 24 px': 1, '96 px and more': 1 },
        byOutcome: { without_mask: 1, not_assessable: 1 },
      },
    });
    const complete = evaluationReport(judged, { ...scenes, isComplete: true });
    expect(complete.detection).toMatchObject({ precision: 3 / 5, ap50: 0.25 });
  });

  it('slices by size and data set', () => {
    const { slices } = evaluationReport(judged, scenes);
    expect(slices['face under 16 px']).toMatchObject({
      count: 1,
      accuracy: 0,
      givenTheBox: { accuracy: 1 },
    });
    expect(slices['face 32 to 48 px']).toMatchObject({ count: 3 });
    expect(slices['data some/set']).toMatchObject({ count: 4, accuracy: 0.25 });
    expect([15.9, 16, 96].map(sizeName)).toEqual(['under 16 px', '16 to 24 px', '96 px and more']);
  });

  it('reads crops of two labels as a choice between two, found or not', () => {
    const crops = [
      {
        ...judged[0]!,
        faces: [face('with_mask', 'with_mask', { isFound: false }), face('without_mask', 'with_mask')],
        unmatched: [],
        detections: [],
      },
    ];
    const report = evaluationReport(crops, { ...scenes, isScenes: false });
    expect(report.accuracy).toBe(0.5);
    expect(report.twoLabels).toEqual({ count: 2, right: 1, accuracy: 0.5 });
    expect(report.detection).toBeUndefined();
  });

  it('shows the surest mistakes first', () => {
    const sure = face('with_mask', 'without_mask', { score: 0.99 });
    const unsure = face('with_mask', 'without_mask', { score: 0.5 });
    expect(worstErrors([unsure, ...faces, sure], 2)).toEqual([sure, faces[3]]);
  });
});
