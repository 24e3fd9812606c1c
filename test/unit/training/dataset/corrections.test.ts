import { describe, expect, it } from 'vitest';
import { applyCorrections } from '../../../../src/training/dataset/apply-corrections.js';
import { parseCorrections } from '../../../../src/training/dataset/corrections.js';
import type { PortraitPicture, ScenePicture } from '../../../../src/training/dataset/picture.js';

const HASH = '0123456789abcdef';
const at = (x: number, y = 10) => ({ x, y, width: 30, height: 40 });
const scene: ScenePicture = {
  kind: 'scene',
  path: '/data/scenes/ilc/images/a.jpg',
  id: 'scenes/ilc/images/a.jpg',
  dataset: 'scenes/ilc',
  width: 400,
  height: 200,
  faces: [
    { box: at(10), label: 'with_mask' },
    { box: at(100), label: 'with_mask' },
    { box: at(200), label: 'without_mask' },
  ],
  unclassified: [],
  ignored: [],
  notFaces: [],
};
const portrait: PortraitPicture = {
  kind: 'portrait',
  path: '/data/crops/with_mask/1.jpg',
  id: 'data/crops/with_mask/1.jpg',
  dataset: 'data/crops',
  label: 'with_mask',
};

function line(action: string, more: object = {}): string {
  return JSON.stringify({ dataset: 'scenes/ilc', file: 'images/a.jpg', hash: HASH, action, ...more });
}
const ofPortrait = { dataset: 'data/crops', file: 'with_mask/1.jpg' };
const read = (...lines: string[]) => parseCorrections([{ name: 'c.jsonl', text: lines.join('\n') }]);
const apply = (...lines: string[]) =>
  applyCorrections([scene, portrait], () => HASH, read(...lines).corrections);

describe('readCorrections', () => {
  it.each([
    ['{"dataset": ', /line 2: is not JSON/],
    [line('rename'), /line 2: action/],
    [line('relabel', { box: at(10) }), /line 2: label/],
    [line('relabel', { box: at(10), label: 'masked' }), /line 2: label/],
    [line('add'), /line 2: box/],
    [line('ignore', { box: { ...at(1), width: 0 } }), /line 2: box.width/],
    [line('remove', { box: at(10), label: 'with_mask' }), /line 2: .*label/],
    [line('remove', { hash: 'abc' }), /line 2: hash/],
    [line('remove', { note: 'x' }), /line 2: .*note/],
  ])('names the line that breaks the form: %s', (text, message) => {
    expect(() => read('', text)).toThrow(
      expect.objectContaining({
        code: 'CORRECTIONS_INVALID',
        exitCode: 2,
        message: expect.stringMatching(message),
      }),
    );
  });

  it.each([
    [
      'two labels',
      line('relabel', { box: at(10), label: 'without_mask' }),
      line('relabel', { box: at(11), label: 'mask_worn_incorrectly' }),
    ],
    [
      'a label and none',
      line('relabel', { box: at(10), label: 'without_mask' }),
      line('remove', { box: at(10) }),
    ],
    ['a face and none', line('add', { box: at(10) }), line('not_a_face', { box: at(12) })],
    [
      'a label of a face without one',
      line('add', { box: at(10) }),
      line('add', { box: at(12), label: 'with_mask' }),
    ],
    [
      'two labels of a portrait, its data set named twice',
      line('relabel', { ...ofPortrait, label: 'without_mask' }),
      line('remove', { ...ofPortrait, dataset: 'crops' }),
    ],
  ])('refuses a contradiction and names both lines: %s', (_, first, second) => {
    expect(() => read(first, '', second)).toThrow(
      expect.objectContaining({
        code: 'CORRECTIONS_CONFLICT',
        message: expect.stringContaining('c.jsonl:1 and c.jsonl:3 contradict'),
      }),
    );
  });

  it('counts what is said twice, once', () => {
    const file = read(
      line('add', { box: at(300), label: 'with_mask' }),
      line('add', { box: at(302), label: 'with_mask', why: 'seen by another' }),
      line('remove', { box: at(10) }),
      line('add', { box: at(12), label: 'with_mask', why: 'a better box' }),
    );
    expect(file).toMatchObject({ repeated: 1 });
    expect(file.corrections.map(({ source }) => source)).toEqual(['c.jsonl:1', 'c.jsonl:3', 'c.jsonl:4']);
  });
});

describe('several files of corrections', () => {
  it('are held against each other', () => {
    const texts = (second: string) => [
      { name: 'a.jsonl', text: line('add', { box: at(300) }) },
      { name: 'b.jsonl', text: second },
    ];
    expect(parseCorrections(texts(line('add', { box: at(301) })))).toMatchObject({ repeated: 1 });
    expect(() => parseCorrections(texts(line('ignore', { box: at(301) })))).toThrow(
      'a.jsonl:1 and b.jsonl:1 contradict',
    );
  });
});

describe('applyCorrections', () => {
  it('relabels, removes, adds, ignores and marks what is no face, and leaves what it was given alone', () => {
    const before = JSON.stringify(scene);
    const { pictures, applied, unfit } = apply(
      line('relabel', { box: at(10.6), label: 'mask_worn_incorrectly' }),
      line('remove', { box: at(100) }),
      line('add', { box: at(300), label: 'without_mask' }),
      line('add', { box: at(60, 100) }),
      line('not_a_face', { box: at(100, 100) }),
      line('relabel', { ...ofPortrait, label: 'without_mask' }),
    );
    expect(unfit).toEqual([]);
    expect(applied).toEqual({ relabel: 2, remove: 1, add: 2, ignore: 0, not_a_face: 1 });
    expect(pictures).toEqual([
      {
        ...scene,
        faces: [
          { box: at(10), label: 'mask_worn_incorrectly' },
          { box: at(200), label: 'without_mask' },
          { box: at(300), label: 'without_mask' },
        ],
        unclassified: [at(60, 100)],
        notFaces: [at(100, 100)],
      },
      { ...portrait, label: 'without_mask' },
    ]);
    expect(JSON.stringify(scene)).toBe(before);
  });

  it('takes annotated faces in an ignored region out with it', () => {
    const { pictures } = apply(line('ignore', { box: { x: 90, y: 0, width: 50, height: 60 } }));
    expect(pictures[0]).toMatchObject({
      faces: [{ box: at(10) }, { box: at(200) }],
      ignored: [{ x: 90, y: 0, width: 50, height: 60 }],
    });
  });

  it('leaves out a picture of one person', () => {
    const { pictures, applied } = apply(line('remove', ofPortrait));
    expect(pictures).toEqual([scene]);
    expect(applied.remove).toBe(1);
  });

  it('names what fits nothing and passes over data sets that are not there', () => {
    const { pictures, unfit, applied } = apply(
      line('relabel', { box: at(12), label: 'without_mask' }),
      line('remove', { file: 'images/b.jpg', box: at(10) }),
      line('remove', { hash: HASH.replace('0', '1'), box: at(10) }),
      line('remove'),
      line('add', { box: at(201), label: 'with_mask' }),
      line('add', { box: at(390), label: 'with_mask' }),
      line('ignore', { ...ofPortrait, box: at(0) }),
      line('remove', { dataset: 'their/own', box: at(10) }),
    );
    expect(pictures).toEqual([scene, portrait]);
    expect(Object.values(applied).every((count) => count === 0)).toBe(true);
    expect(unfit.map(({ source, problem }) => `${source.slice(8)} ${problem}`)).toEqual([
      '2 no such picture',
      '3 the picture has another content than when it was corrected',
      '1 no annotated face has this box',
      '4 a scene needs the box of the face',
      '5 an annotated face stands there',
      '6 the box lies outside the picture (400 × 200)',
      '7 ignore says nothing about a picture of one person',
    ]);
  });

  it('gives each of two annotations that nearly coincide its own correction', () => {
    const twice: ScenePicture = {
      ...scene,
      faces: [
        { box: at(10), label: 'with_mask' },
        { box: at(10.8), label: 'with_mask' },
      ],
    };
    const { corrections } = read(line('relabel', { box: at(11), label: 'without_mask' }));
    const { pictures } = applyCorrections([twice], () => HASH, corrections);
    expect(pictures[0]).toMatchObject({ faces: [{ label: 'with_mask' }, { label: 'without_mask' }] });
  });
});
