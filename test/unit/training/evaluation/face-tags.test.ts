import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelsDir } from '../../../../src/lib/package-paths.js';
import { NO_CORRECTIONS } from '../../../../src/training/dataset/correct-pictures.js';
import { shippedSplit } from '../../../../src/training/dataset/shipped-split.js';
import { readSplitFile } from '../../../../src/training/dataset/split-file.js';
import { evaluationReport } from '../../../../src/training/evaluation/evaluation-report.js';
import { readFaceTags } from '../../../../src/training/evaluation/face-tags.js';
import { faceRecord, judgedPicture, scene } from './faces.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-tags-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(...lines: string[]) {
  const path = join(folder, 'tags.jsonl');
  await writeFile(path, lines.join('\n'));
  return readFaceTags(path);
}
const line = (more: object) =>
  JSON.stringify({ dataset: 'some/set', file: 'a.jpg', tags: ['hand'], ...more });
const box = (x: number) => ({ x, y: 10, width: 40, height: 48 });

describe('face tags', () => {
  it('make a slice of the faces with that box, and tell lines that fit none', async () => {
    const tags = await read(
      line({ box: box(10.6), tags: ['hand', 'hair'] }),
      '',
      line({ dataset: 'set', box: box(100) }),
      line({ box: box(300) }),
      line({ file: 'b.jpg', box: box(10) }),
    );
    const faces = [
      faceRecord('with_mask', 'with_mask'),
      faceRecord('without_mask', 'with_mask', { labelledBox: box(100) }),
      faceRecord('with_mask', 'with_mask', { labelledBox: box(200) }),
    ];
    const report = evaluationReport([judgedPicture(faces, { picture: scene('a.jpg') })], {
      ...{ model: 'm', data: 'd', isScenes: true, isComplete: false, corrections: NO_CORRECTIONS, tags },
    });
    expect(report.slices['tag hand']).toMatchObject({ count: 2, accuracy: 0.5 });
    expect(report.slices['tag hair']).toMatchObject({ count: 1, accuracy: 1 });
    expect(report.tags).toEqual({ lines: 4, unfit: 2 });
  });

  it.each([
    ['{"dataset": ', /line 1: is not JSON/],
    [line({ tags: [] }), /line 1: tags/],
    [line({ box: { ...box(1), width: 0 } }), /line 1: box.width/],
    [line({ tag: 'hand' }), /line 1: .*tag/],
  ])('name the line that breaks the form: %s', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'TAGS_INVALID',
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });
});

describe('the tags that ship', () => {
  it('are of the validation part alone', async () => {
    const path = join(modelsDir(), 'data', 'tags.jsonl');
    await expect(readFaceTags(path)).resolves.toBeDefined();
    const { validation } = await readSplitFile(shippedSplit());
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    const named = lines.map((text) => JSON.parse(text) as { dataset: string; file: string });
    expect(named.length).toBeGreaterThan(30);
    for (const { dataset, file } of named)
      expect(
        validation[dataset]?.some((entry) => entry.slice(17) === basename(file)),
        file,
      ).toBe(true);
  });
});
