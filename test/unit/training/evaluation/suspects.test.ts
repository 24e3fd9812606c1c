import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/domain/box.js';
import { applyCorrections } from '../../../../src/training/dataset/apply-corrections.js';
import { parseCorrections } from '../../../../src/training/dataset/corrections.js';
import type { LabelledPicture, PortraitPicture } from '../../../../src/training/dataset/picture.js';
import { correctionChoices } from '../../../../src/training/evaluation/correction-choices.js';
import type { UnmatchedDetection } from '../../../../src/training/evaluation/judge-pictures.js';
import { findSuspects, type Suspect } from '../../../../src/training/evaluation/suspects.js';
import { faceRecord, judgedPicture, scene } from './faces.js';

const HASH = '0123456789abcdef';
const at = (x: number, y = 50): Box => ({ x, y, width: 40, height: 48 });
const unlabelled = (box: Box, score: number, faceScore: number): UnmatchedDetection => ({
  ...{ box, score, faceScore, facePx: 40, outcome: 'without_mask' },
  scores: { with_mask: 0.1, without_mask: 0.7, mask_worn_incorrectly: 0.2 },
});

describe('findSuspects', () => {
  it('puts the highest loss first, whatever the face is judged to be', () => {
    const faces = [
      faceRecord('with_mask', 'with_mask', { score: 0.4 }),
      faceRecord('with_mask', 'without_mask', { score: 0.9 }),
      faceRecord('without_mask', 'without_mask', { score: 0.99 }),
    ];
    const { labels, outOf } = findSuspects([judgedPicture(faces)], 2);
    expect(labels.map(({ lossNats }) => lossNats)).toEqual([
      expect.closeTo(-Math.log(0.05), 9),
      expect.closeTo(-Math.log(0.4), 9),
    ]);
    expect(outOf.labels).toBe(3);
  });

  it('takes sure detections without a label, but none where a face or a known false box is', () => {
    const picture = scene('a.jpg', {
      faces: [{ box: at(10), label: 'with_mask' }],
      notFaces: [at(400)],
    });
    const unmatched = [
      unlabelled(at(100), 0.7, 0.99),
      unlabelled(at(200), 0.9, 0.95),
      unlabelled(at(300), 0.99, 0.4),
      unlabelled(at(12), 0.99, 1),
      unlabelled(at(410), 0.99, 1),
    ];
    const { unlabelled: found } = findSuspects([judgedPicture([], { picture, unmatched })], 9);
    expect(found.map(({ box }) => box.x)).toEqual([200, 100]);
  });
});

describe('correctionChoices', () => {
  const annotated = scene('images/a.jpg', {
    faces: [
      { box: { x: 10.04, y: 50.38, width: 40, height: 48.2 }, label: 'with_mask' },
      { box: at(100), label: 'without_mask' },
    ],
  });
  const portrait: PortraitPicture = {
    kind: 'portrait',
    ...{ path: '/c/with_mask/1.jpg', id: 'data/crops/with_mask/1.jpg', dataset: 'data/crops' },
    label: 'with_mask',
  };
  const suspectOf = (picture: LabelledPicture, box: Box): Suspect =>
    findSuspects(
      [judgedPicture([faceRecord('with_mask', 'mask_worn_incorrectly', { picture, labelledBox: box, box })])],
      1,
    ).labels[0]!;
  const correct = (picture: LabelledPicture, ...lines: readonly string[]) => {
    const { corrections } = parseCorrections([{ name: 'c.jsonl', text: lines.join('\n') }]);
    return applyCorrections([picture], () => HASH, corrections);
  };

  it('gives lines for a labelled face that each do what they say', () => {
    const { choices, replaces } = correctionChoices(suspectOf(annotated, annotated.faces[0]!.box), HASH, []);
    expect(replaces).toBeNull();
    const outcomes = choices.map(({ says, lines }) => {
      const { pictures, unfit } = correct(annotated, ...lines);
      expect(unfit).toEqual([]);
      const [picture] = pictures;
      if (picture?.kind !== 'scene') throw new Error('no scene');
      const labels = picture.faces.map(({ label }) => label).join(' ');
      return `${says}: ${labels}, ${picture.unclassified.length} ${picture.ignored.length}`;
    });
    expect(outcomes).toEqual([
      'worn incorrectly: mask_worn_incorrectly without_mask, 0 0',
      'without mask: without_mask without_mask, 0 0',
      'label not to be told: without_mask, 1 0',
      'no face: without_mask, 0 0',
      'neither use nor count: without_mask, 0 1',
    ]);
  });

  it('gives lines for a picture of one person', () => {
    const { choices } = correctionChoices(suspectOf(portrait, at(0)), HASH, []);
    const after = choices.map(({ lines }) => correct(portrait, ...lines).pictures);
    expect(after).toMatchObject([[{ label: 'mask_worn_incorrectly' }], [{ label: 'without_mask' }], []]);
  });

  it('gives lines for a face without a label', () => {
    const [suspect] = findSuspects(
      [judgedPicture([], { picture: annotated, unmatched: [unlabelled(at(200.26), 0.9, 1)] })],
      1,
    ).unlabelled;
    const { choices } = correctionChoices(suspect!, HASH, []);
    const results = choices.map(({ lines }) => correct(annotated, ...lines));
    expect(results.flatMap(({ unfit }) => unfit)).toEqual([]);
    expect(results.map(({ pictures: [picture] }) => picture)).toMatchObject([
      { faces: [{}, {}, { box: at(200.3), label: 'without_mask' }] },
      { faces: [{}, {}, { label: 'mask_worn_incorrectly' }] },
      { faces: [{}, {}, { label: 'with_mask' }] },
      { unclassified: [{}] },
      { notFaces: [{}] },
      { ignored: [{}] },
    ]);
  });

  it('says which line a new one must replace, and what fits there', () => {
    const named = { dataset: 'set', file: 'images/a.jpg', hash: HASH };
    const list = [
      { ...named, action: 'relabel', box: annotated.faces[0]!.box, label: 'with_mask' },
      { ...named, action: 'add', box: at(300), label: 'with_mask' },
    ].map((line) => JSON.stringify(line));
    const { corrections } = parseCorrections([{ name: 'models/data/c.jsonl', text: list.join('\n') }]);

    const relabelled = correctionChoices(suspectOf(annotated, annotated.faces[0]!.box), HASH, corrections);
    expect(relabelled.replaces).toBe('c.jsonl:1');
    // Beside the old line the new one would be refused.
    expect(() => correct(annotated, list[0]!, relabelled.choices[0]!.lines[0]!)).toThrow('contradict');

    const added = correctionChoices(suspectOf(annotated, at(300)), HASH, corrections);
    expect(added.replaces).toBe('c.jsonl:2');
    const { pictures, unfit } = correct(annotated, ...added.choices[0]!.lines);
    expect(unfit).toEqual([]);
    expect(pictures).toMatchObject([{ faces: [{}, {}, { label: 'mask_worn_incorrectly' }] }]);

    const other = correctionChoices(suspectOf(annotated, at(300)), 'ffffffffffffffff', corrections);
    expect(other.replaces).toBeNull();
  });
});
