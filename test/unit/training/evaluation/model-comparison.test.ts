import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MASK_LABELS, type MaskLabel } from '../../../../src/domain/label.js';
import { modelsDir } from '../../../../src/lib/package-paths.js';
import type { FaceRecord } from '../../../../src/training/evaluation/judge-pictures.js';
import { compareModels } from '../../../../src/training/evaluation/model-comparison.js';
import { promoteOnlyIfBetter } from '../../../../src/training/evaluation/promote.js';
import { mcnemarPValue } from '../../../../src/training/metrics/mcnemar.js';
import { faceRecord, scene } from './faces.js';

const names = { candidate: 'new', incumbent: 'old', leftOutPictures: 0 };

/** `perLabel` faces of each label, one a picture, of which a model gets the first `right` of each right. */
function faces(perLabel: number, right: Partial<Record<MaskLabel, number>>, score = 0.9): FaceRecord[] {
  return MASK_LABELS.flatMap((label, at) =>
    Array.from({ length: perLabel }, (_, i) =>
      faceRecord(label, i < (right[label] ?? perLabel) ? label : MASK_LABELS[(at + 1) % 3]!, {
        score,
        picture: pictures[at * perLabel + i]!,
      }),
    ),
  );
}
const pictures = Array.from({ length: 900 }, (_, i) => scene(`${i}.jpg`));

describe('mcnemarPValue', () => {
  it('is the two-sided binomial tail', () => {
    // By hand: (C(10,0) + C(10,1) + C(10,2)) / 2^10, twice.
    expect(mcnemarPValue(2, 8)).toBeCloseTo((2 * (1 + 10 + 45)) / 1024, 12);
    expect(mcnemarPValue(8, 2)).toBe(mcnemarPValue(2, 8));
    expect(mcnemarPValue(0, 0)).toBe(1);
    expect(mcnemarPValue(5, 5)).toBe(1);
    expect(mcnemarPValue(900, 700)).toBeLessThan(1e-5);
    expect(mcnemarPValue(900, 700)).toBeGreaterThan(1e-8);
  });
});

describe('compareModels', () => {
  it('pairs the figures and counts who is right alone', () => {
    const comparison = compareModels(
      { candidate: faces(100, { with_mask: 95 }), incumbent: faces(100, { with_mask: 80 }) },
      names,
    );
    expect(comparison.mcnemar).toEqual({
      onlyCandidateRight: 15,
      onlyIncumbentRight: 0,
      pValue: mcnemarPValue(15, 0),
    });
    expect(comparison.accuracy).toMatchObject({ candidate: 295 / 300, incumbent: 280 / 300 });
    const { difference, interval } = comparison.macroF1;
    expect(interval.low).toBeLessThan(difference);
    expect(interval.high).toBeGreaterThan(difference);
    expect(interval.low).toBeGreaterThan(0);
  });

  it('refuses different faces', () => {
    const one = faces(2, {});
    expect(() => compareModels({ candidate: one, incumbent: one.toReversed() }, names)).toThrow('different');
  });
});

describe('the gate', () => {
  const gate = (candidate: FaceRecord[], incumbent: FaceRecord[]) =>
    compareModels({ candidate, incumbent }, names).gate;
  // Scores that fit: 280 of 300 are right.
  const old = faces(100, { with_mask: 90, without_mask: 95, mask_worn_incorrectly: 95 }, 0.93);

  it('lets pass what is proved better', () => {
    expect(
      gate(faces(100, { with_mask: 99, without_mask: 99, mask_worn_incorrectly: 99 }, 0.98), old),
    ).toMatchObject({
      isBetter: true,
      reasons: [expect.stringContaining(': better')],
    });
  });

  it('stops the same model, and a worse one', () => {
    expect(gate(old, old).isBetter).toBe(false);
    expect(gate(faces(100, { with_mask: 70 }, 0.9), old).isBetter).toBe(false);
  });

  it('stops one that is better on the whole and worse at one label', () => {
    const before = faces(100, { with_mask: 40 }, 0.8);
    const after = faces(100, { mask_worn_incorrectly: 70 }, 0.9);
    const verdict = gate(after, before);
    expect(verdict.reasons).toEqual([
      expect.stringContaining(': better'),
      'F1 of mask_worn_incorrectly falls from 1.0000 to 0.8235',
    ]);
    expect(verdict.isBetter).toBe(false);
  });

  it('stops scores that promise too much', () => {
    const boastful = faces(100, { with_mask: 97, without_mask: 97, mask_worn_incorrectly: 90 }, 0.9999);
    const verdict = gate(boastful, old);
    expect(verdict.isBetter).toBe(false);
    expect(verdict.reasons.at(-1)).toContain('ECE rises');
  });

  it('stops one that takes more faces for none', () => {
    const better = faces(100, { with_mask: 99, without_mask: 99, mask_worn_incorrectly: 99 }, 0.98);
    // As scenes are judged: what the classifier turns away was detected and is not found.
    const blind = better.map((face, i) => (i % 20 === 0 ? { ...face, isFound: false } : face));
    const verdict = compareModels({ candidate: blind, incumbent: old }, { ...names, minFaceScore: 0.3 }).gate;
    expect(verdict.isBetter).toBe(false);
    expect(verdict.reasons.at(-1)).toBe('faces taken for faces fall from 1.0000 to 0.9500');
  });

  it('stops on too few faces', () => {
    expect(gate(faces(20, {}), faces(20, { with_mask: 1 })).reasons).toEqual([
      '60 faces are too few; 100 are needed',
    ]);
  });
});

describe('promoteOnlyIfBetter', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'maskwatch-promote-'));
    await mkdir(join(root, 'models', 'site'), { recursive: true });
    await writeFile(join(root, 'models', 'site', 'manifest.json'), '{"name": "old"}');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));
  const candidateDir = join(modelsDir(), 'mask-mobilenetv2');
  const better = compareModels(
    { candidate: faces(100, {}, 0.99), incumbent: faces(100, { with_mask: 50 }) },
    names,
  );
  const worse = compareModels(
    { candidate: faces(100, { with_mask: 50 }), incumbent: faces(100, {}, 0.99) },
    names,
  );
  const nameAt = async (name: string) =>
    (JSON.parse(await readFile(join(root, 'models', name, 'manifest.json'), 'utf8')) as { name: string })
      .name;

  it('leaves the present model alone when the candidate is worse', async () => {
    const targetDir = join(root, 'models', 'site');
    const result = await promoteOnlyIfBetter({ candidateDir, targetDir, compare: async () => worse });
    expect(result).toEqual({ isPromoted: false, comparison: worse });
    expect(await nameAt('site')).toBe('old');
  });

  it('exchanges the folder whole, under the name of the place', async () => {
    const targetDir = join(root, 'models', 'site');
    const result = await promoteOnlyIfBetter({ candidateDir, targetDir, compare: async () => better });
    expect(result.isPromoted).toBe(true);
    expect(await nameAt('site')).toBe('site');
    expect(await readdir(join(root, 'models'))).toEqual(['site']);
    expect(await readdir(targetDir)).toContain('model.onnx');
  });

  it('asks for no comparison where there is nothing to compare with', async () => {
    const compare = () => Promise.reject(new Error('asked'));
    await promoteOnlyIfBetter({ candidateDir, targetDir: join(root, 'models', 'first'), compare });
    expect(await nameAt('first')).toBe('first');
  });
});
