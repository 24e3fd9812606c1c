import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DataProblem, discoverPictures } from '../../../../src/training/dataset/discover.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-data-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function picture(...parts: string[]): Promise<void> {
  const path = join(root, ...parts);
  await mkdir(join(path, '..'), { recursive: true });
  await sharp({ create: { width: 100, height: 80, channels: 3, background: '#678' } }).toFile(path);
}

async function touch(...parts: string[]): Promise<void> {
  const path = join(root, ...parts);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, '');
}

const scene = (file: string, label = 'with_mask') =>
  JSON.stringify({ file, width: 100, height: 80, faces: [{ x: 1, y: 2, width: 30, height: 40, label }] });

describe('discoverPictures', () => {
  it('finds folders of labels and scenes at any depth, in the order of their names', async () => {
    await touch('b', 'portraits', 'without_mask', '2.jpg');
    await touch('b', 'portraits', 'with_mask', 'deep', '1.PNG');
    await touch('b', 'portraits', 'with_mask', 'notes.txt');
    await picture('a', 'street', 'images', 'x.jpg');
    await writeFile(join(root, 'a', 'street', 'annotations.jsonl'), `${scene('images/x.jpg')}\n\n`);
    const pictures = await discoverPictures(root);
    expect(pictures.map(({ id }) => id)).toEqual([
      'a/street/images/x.jpg',
      'b/portraits/with_mask/deep/1.PNG',
      'b/portraits/without_mask/2.jpg',
    ]);
    expect(pictures[0]).toMatchObject({
      kind: 'scene',
      path: join(root, 'a', 'street', 'images/x.jpg'),
      faces: [{ label: 'with_mask', box: { x: 1, y: 2, width: 30, height: 40 } }],
    });
    expect(pictures[1]).toMatchObject({ kind: 'portrait', label: 'with_mask', dataset: 'b/portraits' });
  });

  it('names the line and the rule that an annotation breaks', async () => {
    await writeFile(join(root, 'annotations.jsonl'), `${scene('x.jpg')}\n${scene('y.jpg', 'masked')}\n`);
    await expect(discoverPictures(root)).rejects.toMatchObject({
      code: 'DATA_INVALID',
      exitCode: 2,
      message: expect.stringMatching(/line 2: faces\.0\.label/),
    });
  });

  it('tells a line that is not JSON', async () => {
    await writeFile(join(root, 'annotations.jsonl'), '{"file": "x.jpg",\n');
    await expect(discoverPictures(root)).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringContaining('line 1: is not JSON'),
    });
  });

  it('leaves out and names pictures that are missing and boxes that are broken', async () => {
    await picture('x.jpg');
    const faces = [
      { x: 1, y: 2, width: 30, height: 40, label: 'with_mask' },
      { x: 95, y: 2, width: 30, height: 40, label: 'with_mask' },
      { x: 1, y: 2, width: 0, height: 40, label: 'with_mask' },
    ];
    const lines = [{ file: 'x.jpg', width: 100, height: 80, faces }].map((line) => JSON.stringify(line));
    await writeFile(join(root, 'annotations.jsonl'), [...lines, scene('gone.jpg')].join('\n'));
    const problems: DataProblem[] = [];
    const found = await discoverPictures(root, { onProblem: (problem) => problems.push(problem) });
    expect(found).toMatchObject([{ faces: [{ box: { x: 1 } }] }]);
    expect(problems.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([
      'box_broken: annotations.jsonl, line 1: the box 95, 2, 30, 40 lies outside the picture (100 × 80)',
      'box_broken: annotations.jsonl, line 1: the box 1, 2, 0, 40 has no area',
      'picture_missing: is annotated but not there',
    ]);
  });

  it('says so when no picture at all is there', async () => {
    await writeFile(join(root, 'annotations.jsonl'), scene('gone.jpg'));
    await expect(discoverPictures(root)).rejects.toMatchObject({
      code: 'DATA_NOT_FOUND',
      message: expect.stringContaining('none of the 1 annotated pictures'),
    });
  });

  it('knows folders by the usual names for a label, unless one stands alone', async () => {
    await touch('a', 'set', 'Mask', '1.jpg');
    await touch('a', 'set', 'No Mask', '2.jpg');
    await touch('a', 'segments', 'mask', '3.png');
    expect((await discoverPictures(root)).map(({ id, kind }) => `${kind} ${id}`)).toEqual([
      'portrait a/set/Mask/1.jpg',
      'portrait a/set/No Mask/2.jpg',
    ]);
    const labelMap = { Mask: 'with_mask' } as const;
    expect((await discoverPictures(root, { labelMap })).map(({ id }) => id)).toContain(
      'a/segments/mask/3.png',
    );
  });

  it('says so when a folder is missing or holds no labelled pictures', async () => {
    await touch('loose.jpg');
    await expect(discoverPictures(root)).rejects.toMatchObject({ code: 'DATA_NOT_FOUND', exitCode: 2 });
    await expect(discoverPictures(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  });
});
