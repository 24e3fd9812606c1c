import { describe, expect, it } from 'vitest';
import { NO_CORRECTIONS } from '../../../../src/training/dataset/correct-pictures.js';
import { evaluationPage } from '../../../../src/training/evaluation/evaluation-page.js';
import { evaluationReport } from '../../../../src/training/evaluation/evaluation-report.js';
import { compareModels } from '../../../../src/training/evaluation/model-comparison.js';
import { faceRecord, judgedPicture, scene } from './faces.js';

const pictures = Array.from({ length: 60 }, (_, i) => scene(`${i}.jpg`));
const judgedBy = (errors: number) =>
  pictures.map((picture, i) =>
    judgedPicture([
      faceRecord('with_mask', i < errors ? 'without_mask' : 'with_mask', { picture, score: 0.9 }),
      faceRecord('without_mask', 'without_mask', { picture, score: 0.9 }),
    ]),
  );
const alarms = {
  ...{ tracksPerHour: 60, budgetPerDay: 1, openThreshold: 0.8, cropLikeness: 0.9, trackSeconds: 4 },
  ...{ rateFps: 5, recheckMs: 1000, minFaceScore: 0 },
  policy: {
    labels: ['without_mask', 'mask_worn_incorrectly'] as const,
    ...{ closeThreshold: 0.4, minDurationMs: 1000, graceMs: 1000 },
  },
};

describe('the readable report', () => {
  it('has intervals, calibration, alarms and the comparison, and no name breaks out of it', () => {
    const judged = judgedBy(6);
    const faces = (of: typeof judged) => of.flatMap((picture) => picture.faces);
    const report = {
      ...evaluationReport(judged, {
        ...{ model: '<b>new', data: 'd', isScenes: true, isComplete: false },
        corrections: NO_CORRECTIONS,
        alarms,
      }),
      comparison: compareModels(
        { candidate: faces(judged), incumbent: faces(judgedBy(30)) },
        { candidate: '<b>new', incumbent: 'old', leftOutPictures: 0 },
      ),
    };
    const page = evaluationPage(report, { reliability: '<svg></svg>', worstCount: 6, hasSuspects: true });
    expect(page).not.toContain('<b>new');
    expect(page).toMatch(/Accuracy <b>95\.0 %<\/b> \(9\d\.\d–9\d\.\d\)/);
    expect(page).toContain('<td>0.8 (in force)</td>');
    expect(page).toContain('with a further temperature');
    expect(page).toContain('Right alone: &lt;b&gt;new 24, old 0; McNemar p &lt; 0.0001');
    expect(page).toContain('<a href="suspects.html">');
    const plain = evaluationPage(report, { reliability: '', worstCount: 0, hasSuspects: false });
    expect(plain).not.toMatch(/suspects\.html|worst-errors\.jpg/);
  });
});
