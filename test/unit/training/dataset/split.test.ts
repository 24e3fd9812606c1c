import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/lib/random.js';
import {
  type Fingerprint,
  fingerprintPicture,
  hammingDistance,
} from '../../../../src/training/dataset/fingerprint.js';
import { groupNearTwins } from '../../../../src/training/dataset/near-twins.js';
import {
  type PrintedPicture,
  type SplitRules,
  splitPictures,
} from '../../../../src/training/dataset/split.js';
import {
  describeSplit,
  heldOutHashes,
  readSplitFile,
  writeSplitFile,
} from '../../../../src/training/dataset/split-file.js';

const rules: SplitRules = {
  seed: 'test',
  validationFraction: 0.2,
  testFraction: 0.3,
  twinMaxDistance: 24,
  fixed: { 'kept/back': 'test', 'kept/open': 'train' },
};

/** A picture whose hash is random but for `bits` flipped ones, so that the distance to its model is known. */
function printed(index: number, dataset = 'some/set', like?: Fingerprint, bits = 0): PrintedPicture {
  const random = seededRandom(index);
  const draw = () => Uint32Array.from({ length: 8 }, () => random.index(2 ** 32));
  const perceptual = like ? like.perceptual.slice() : draw();
  for (let bit = 0; bit < bits; bit++) perceptual[bit >> 5]! ^= 1 << (bit & 31);
  const contentHash = index.toString(16).padStart(16, '0');
  return {
    picture: { kind: 'portrait', path: `/x/${index}.jpg`, id: `${index}`, dataset, label: 'with_mask' },
    print: { contentHash, perceptual, perceptualMirrored: draw() },
  };
}

describe('groupNearTwins', () => {
  it('keeps together what differs in few bits, also over a third picture, and nothing else', () => {
    const first = printed(1).print;
    const second = printed(2, undefined, first, 20).print;
    const third = { ...printed(3).print, perceptual: second.perceptual.slice() };
    for (let bit = 100; bit < 120; bit++) third.perceptual[bit >> 5]! ^= 1 << (bit & 31);
    expect(hammingDistance(first.perceptual, third.perceptual)).toBe(40);
    expect(groupNearTwins([first, printed(4).print, second, third], 24)).toEqual([0, 1, 0, 0]);
  });

  it('recognises a mirrored copy', () => {
    const first = printed(1).print;
    const mirrored = { ...printed(2).print, perceptualMirrored: first.perceptual };
    expect(groupNearTwins([first, mirrored], 24)).toEqual([0, 0]);
  });
});

describe('splitPictures', () => {
  const many = Array.from({ length: 600 }, (_, index) => printed(index));

  it('draws about the shares asked for, the same every time, whatever else is there', () => {
    const parts = splitPictures(many, rules);
    const share = (part: string) => parts.filter((p) => p === part).length / parts.length;
    expect(share('test')).toBeCloseTo(0.3, 1);
    expect(share('validation')).toBeCloseTo(0.2, 1);
    expect(splitPictures(many.slice(300), rules)).toEqual(parts.slice(300));
    expect(splitPictures(many, { ...rules, seed: 'other' })).not.toEqual(parts);
  });

  it('sends twins of a held-out picture to the same part', () => {
    const heldBack = printed(1000, 'kept/back');
    const twin = printed(1001, 'kept/open', heldBack.print, 10);
    const other = printed(1002, 'kept/open');
    expect(splitPictures([twin, heldBack, other], rules)).toEqual(['test', 'test', 'train']);
  });

  it('keeps held out what an earlier split held out', () => {
    const parts = splitPictures(many, rules);
    const file = describeSplit(many, parts, rules);
    const later = splitPictures(many, { ...rules, seed: 'other' }, heldOutHashes(file));
    many.forEach((_, index) => {
      if (parts[index] !== 'train') expect(later[index]).toBe(parts[index]);
    });
  });
});

describe('fingerprints and split files on disk', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'maskwatch-split-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('gives a recoded, smaller and mirrored copy nearly the same hash, another picture a different one', async () => {
    const noise = (seed: number) => {
      const cells = seededRandom(seed);
      const raw = Buffer.from(Uint8Array.from({ length: 12 * 12 * 3 }, () => cells.index(256)));
      return sharp(raw, { raw: { width: 12, height: 12, channels: 3 } }).resize(240, 240, {
        kernel: 'cubic',
      });
    };
    const original = await noise(1).png().toBuffer();
    const files = {
      'original.png': original,
      'small.jpg': await sharp(original).resize(120, 120).jpeg({ quality: 60 }).toBuffer(),
      'mirrored.jpg': await sharp(original).flop().jpeg().toBuffer(),
      'other.png': await noise(2).png().toBuffer(),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(root, name), bytes);
    const [a, small, mirrored, other] = await Promise.all(
      Object.keys(files).map((name) => fingerprintPicture(join(root, name))),
    );
    expect(hammingDistance(a!.perceptual, small!.perceptual)).toBeLessThan(24);
    expect(hammingDistance(a!.perceptual, mirrored!.perceptualMirrored)).toBeLessThan(24);
    expect(hammingDistance(a!.perceptual, other!.perceptual)).toBeGreaterThan(64);
    expect(a!.contentHash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('reads back the split file that it wrote and refuses another', async () => {
    const pictures = [printed(1), printed(2, 'kept/back')];
    const file = describeSplit(pictures, ['train', 'test'], rules);
    const path = join(root, 'split.json');
    await writeSplitFile(path, file);
    expect(await readSplitFile(path)).toEqual(file);
    expect(heldOutHashes(file)).toEqual(new Map([['0000000000000002', 'test']]));
    await writeFile(path, '{"formatVersion": 2}');
    await expect(readSplitFile(path)).rejects.toMatchObject({ code: 'SPLIT_INVALID', exitCode: 2 });
  });

  it('names the file that is no picture', async () => {
    const path = join(root, 'broken.jpg');
    await writeFile(path, 'not a picture');
    await expect(fingerprintPicture(path)).rejects.toMatchObject({ code: 'DATA_UNREADABLE', path });
  });
});
