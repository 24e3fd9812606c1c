import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { discoverPictures } from '../../../../src/training/dataset/discover.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-data-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

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
    await mkdir(join(root, 'a', 'street'), { recursive: true });
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

  it('says so when a folder is missing or holds no labelled pictures', async () => {
    await touch('loose.jpg');
    await expect(discoverPictures(root)).rejects.toMatchObject({ code: 'DATA_NOT_FOUND', exitCode: 2 });
    await expect(discoverPictures(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  });
});
