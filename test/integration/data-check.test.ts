import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.js';
import { runCli } from '../support/run-cli.js';

let root: string;
let crops: string;
let scenes: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-data-'));
  crops = join(root, 'site', 'crops');
  scenes = join(root, 'site', 'scenes');
  const [masked, bare] = [join(crops, 'with_mask'), join(crops, 'without_mask')];
  for (const folder of [masked, bare, scenes]) await mkdir(folder, { recursive: true });
  // Coarse noise, so that shrinking to a fingerprint keeps it apart from others.
  const picture = (seed: number) => {
    const random = seededRandom(seed);
    const pixels = Buffer.from(Array.from({ length: 17 * 16 * 3 }, () => random.index(256)));
    return sharp(pixels, { raw: { width: 17, height: 16, channels: 3 } }).resize(170, 160, {
      kernel: 'nearest',
      fit: 'fill',
    });
  };
  await picture(1).toFile(join(masked, 'a.png'));
  await picture(1).toFile(join(bare, 'a-again.png'));
  await picture(2).toFile(join(masked, 'b.png'));
  await picture(2).flop().jpeg({ quality: 60 }).toFile(join(masked, 'b-mirrored.jpg'));
  await picture(3).toFile(join(bare, 'c.png'));
  await picture(4).toFile(join(scenes, 'd.png'));
  const face = { x: 10, y: 10, width: 40, height: 50, label: 'without_mask' };
  const names = ['d.png', ...Array.from({ length: 8 }, (_, i) => `gone-${i}.png`)];
  const lines = names.map((file) => JSON.stringify({ file, width: 170, height: 160, faces: [face] }));
  await writeFile(join(scenes, 'annotations.jsonl'), lines.join('\n'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const check = (...more: readonly string[]) =>
  runCli(['data', 'check', crops, scenes, '--cache', join(root, 'cache'), '--no-corrections', ...more]);

describe('data check', () => {
  it('counts, finds the same file under two labels and a mirrored copy, and names all that is left out', async () => {
    const { code, stdout } = await check('--json');
    expect(code).toBe(0);
    const { datasets, twins, leftOut } = JSON.parse(stdout);
    expect(datasets).toMatchObject({
      'site/crops': { kind: 'portrait', pictures: 5, faces: { with_mask: 3, without_mask: 2 } },
      'site/scenes': { kind: 'scene', pictures: 1, faces: { without_mask: 1 } },
    });
    expect(twins).toEqual([
      {
        pictures: ['site/crops/with_mask/a.png', 'site/crops/without_mask/a-again.png'],
        ...{ isSameFile: true, hasOtherLabels: true, part: expect.any(String) },
      },
      {
        pictures: ['site/crops/with_mask/b-mirrored.jpg', 'site/crops/with_mask/b.png'],
        ...{ isSameFile: false, hasOtherLabels: false, part: expect.any(String) },
      },
    ]);
    expect(leftOut).toHaveLength(8);
    expect(leftOut[7]).toMatchObject({ kind: 'picture_missing', path: join(scenes, 'gone-7.png') });
  });

  it('tells people the same', async () => {
    const { stdout } = await check();
    expect(stdout).toContain('twins: 1 groups of one file, 1 of pictures that look the same');
    expect(stdout).toContain('same file, OTHER LABELS: site/crops/with_mask/a.png');
    expect(stdout.match(/^left out: .* is annotated but not there$/gm)).toHaveLength(8);
  });
});
