import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/domain/box.js';
import { seededRandom } from '../../../../src/lib/random.js';
import { blankPicture } from '../../../../src/training/dataset/rgb-picture.js';
import { shippedSplit } from '../../../../src/training/dataset/shipped-split.js';
import { heldOutHashes, readSplitFile } from '../../../../src/training/dataset/split-file.js';
import { choosePictures } from '../../../../src/training/faceless/choose-pictures.js';
import { clearRegion, overlaps } from '../../../../src/training/faceless/clear-region.js';
import { cutMask } from '../../../../src/training/faceless/cut-mask.js';
import { readExcludeList, shippedExcludeList } from '../../../../src/training/faceless/exclude-list.js';
import type { FacelessPlan } from '../../../../src/training/faceless/faceless-picture.js';
import {
  describeManifest,
  readManifest,
  shippedFacelessSet,
} from '../../../../src/training/faceless/manifest.js';
import { maskPlans } from '../../../../src/training/faceless/mask-plans.js';
import { renderPicture } from '../../../../src/training/faceless/render-picture.js';
import { type KnownScene, sceneCandidates } from '../../../../src/training/faceless/scene-candidates.js';

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });
const hash = 'a'.repeat(16);
const head = box(420, 60, 40, 50);
const known = (more: Partial<KnownScene> = {}): KnownScene => ({
  scene: {
    ...{ dataset: 'scenes/x', width: 800, height: 600 },
    faces: [{ box: box(100, 100, 60, 80), label: 'with_mask' }],
    unclassified: [box(600, 400, 30, 40)],
    ignored: [box(300, 500, 20, 20)],
    notFaces: [head],
  },
  ...{ file: 'images/1.jpg', hash, part: 'test', seen: [], excluded: [] },
  corrections: [
    {
      ...{ dataset: 'scenes/x', file: 'images/1.jpg', hash, action: 'not_a_face', source: 'c:1' },
      ...{ box: head, why: 'back of head, hair, ear or neck' },
    },
  ],
  ...more,
});

describe('pictures cut out of a scene', () => {
  const faces = [box(100, 100, 60, 80), box(600, 400, 30, 40), box(300, 500, 20, 20)];

  it('keep clear of labels, unlabelled faces and ignored regions, and hold the confirmed non-face', () => {
    const plans = sceneCandidates(known(), 's');
    expect(plans.map(({ kind }) => kind)).toEqual(['back_of_head', 'background', 'background']);
    for (const { region } of plans) {
      expect(faces.some((face) => overlaps(face, region))).toBe(false);
      expect(Math.min(region.width, region.height)).toBeGreaterThanOrEqual(160);
      expect(region.x + region.width).toBeLessThanOrEqual(800);
    }
    const { region } = plans[0]!;
    expect(region.x).toBeLessThanOrEqual(head.x);
    expect(region.y + region.height).toBeGreaterThanOrEqual(head.y + head.height);
    expect(sceneCandidates(known(), 's')).toEqual(plans);
  });

  it('keep clear of what was excluded by eye, even where nothing else is left', () => {
    const plans = sceneCandidates(known({ excluded: [box(400, 0, 100, 200)] }), 's');
    expect(plans.map(({ kind }) => kind)).not.toContain('back_of_head');
    expect(sceneCandidates(known({ excluded: [box(0, 0, 800, 600)] }), 's')).toEqual([]);
  });

  it('avoid what a careless detector sees in backgrounds alone: it sees just the places that are wanted', () => {
    const seen = [box(0, 0, 800, 600)];
    expect(sceneCandidates(known({ seen }), 's').map(({ kind }) => kind)).toEqual(['back_of_head']);
  });

  it('are none where the picture is too small', () => {
    expect(clearRegion({ width: 150, height: 600 }, [], null, seededRandom(1))).toBeNull();
  });
});

describe('the choice of pictures', () => {
  const plan = (kind: FacelessPlan['kind'], source: number, x: number): FacelessPlan => ({
    ...{ kind, part: 'test', region: box(x, 0, 200, 200) },
    source: { dataset: 'd', file: `${source}.jpg`, hash: String(source).padStart(16, '0') },
  });

  it('takes quotas first, fills up with background, and takes no region twice', () => {
    const plans = [
      ...Array.from({ length: 10 }, (_, i) => plan('hand', i, 0)),
      // The same regions as of the hands.
      ...Array.from({ length: 10 }, (_, i) => plan('background', i, 20)),
      ...Array.from({ length: 10 }, (_, i) => plan('background', i, 300)),
    ];
    const chosen = choosePictures(plans, { hand: 4 }, 12, 's');
    expect(chosen.filter(({ kind }) => kind === 'hand')).toHaveLength(4);
    expect(chosen).toHaveLength(12);
    const withHand = chosen.filter(({ kind }) => kind === 'hand').map(({ source }) => source.hash);
    const doubled = chosen.filter(
      ({ kind, region, source }) =>
        kind === 'background' && region.x === 20 && withHand.includes(source.hash),
    );
    expect(doubled).toEqual([]);
    expect(choosePictures([...plans].reverse(), { hand: 4 }, 12, 's')).toEqual(chosen);
  });

  it('lays each mask inside a background of its own part', () => {
    const source = { dataset: 'p', file: 'm.jpg', hash: 'b'.repeat(16) };
    const portraits = [
      { source, part: 'test' as const, width: 100, height: 80 },
      { source, part: 'validation' as const, width: 100, height: 80 },
    ];
    const plans = maskPlans(portraits, [plan('background', 1, 0)], 's');
    expect(plans).toHaveLength(1);
    const { overlay, part, kind } = plans[0]!;
    expect([part, kind]).toEqual(['test', 'mask_alone']);
    expect(overlay!.box.x).toBeGreaterThanOrEqual(0);
    expect(overlay!.box.x + overlay!.box.width).toBeLessThanOrEqual(200);
  });
});

describe('a mask cut out of a portrait', () => {
  const portrait = (isBlue: (x: number, y: number) => boolean) => {
    const picture = blankPicture(100, 100);
    for (let y = 0; y < 100; y++)
      for (let x = 0; x < 100; x++)
        picture.data.set(isBlue(x, y) ? [120, 190, 225] : [200, 150, 120], (y * 100 + x) * 3);
    return picture;
  };

  it('holds the blue area with its holes and nothing around it', async () => {
    const isMask = (x: number, y: number) => x >= 30 && x < 70 && y >= 50 && y < 80;
    const isHole = (x: number, y: number) => x === 50 && y === 60;
    const isNotch = (x: number, y: number) => x >= 45 && x < 55 && y < 55;
    const mask = await cutMask(portrait((x, y) => isMask(x, y) && !isHole(x, y) && !isNotch(x, y)));
    expect(mask).toMatchObject({ width: 40, height: 30 });
    const { data } = await sharp(mask!.png).raw().toBuffer({ resolveWithObject: true });
    const alphaAt = (x: number, y: number) => data[((y - 50) * 40 + x - 30) * 4 + 3];
    expect([alphaAt(32, 60), alphaAt(50, 60), alphaAt(50, 52)]).toEqual([255, 255, 0]);
    const source = blankPicture(300, 300);
    const jpeg = await renderPicture(
      {
        region: box(0, 0, 200, 160),
        overlay: { source: {} as never, box: box(50, 50, 60, 45), turnDegrees: 0 },
      },
      source,
      mask,
    );
    const { data: pixels, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([200, 160]);
    const blueAt = (x: number, y: number) => pixels[(y * 200 + x) * 3 + 2]!;
    expect(blueAt(60, 80)).toBeGreaterThan(180);
    expect(blueAt(20, 20)).toBeLessThan(40);
  });

  it('is none where a wall is blue, or nothing', async () => {
    expect(await cutMask(portrait(() => true))).toBeNull();
    expect(await cutMask(portrait(() => false))).toBeNull();
  });
});

describe('manifest and list of exclusions', () => {
  it('are read as they were written, and refused with the line that breaks the form', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'maskwatch-faceless-'));
    try {
      const path = join(folder, 'manifest.jsonl');
      expect(await readManifest(path)).toBeNull();
      const plan = sceneCandidates(known(), 's')[0]!;
      await writeFile(path, describeManifest([{ file: 'pictures/1.jpg', plan }]));
      expect(await readManifest(path)).toEqual([{ file: 'pictures/1.jpg', ...plan }]);
      await writeFile(path, `${describeManifest([{ file: '1.jpg', plan }])}{"file":"2.jpg","kind":"face"}\n`);
      await expect(readManifest(path)).rejects.toMatchObject({ code: 'DATA_INVALID', path: `${path}:2` });
      await writeFile(path, '{"formatVersion":1,"about":"","excluded":[{"hash":"x"}]}');
      await expect(readExcludeList(path)).rejects.toMatchObject({ code: 'DATA_INVALID' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('that ship: 500 pictures of held-out files alone, 150 around confirmed non-faces, none where a face was seen', async () => {
    const pictures = (await readManifest(shippedFacelessSet()))!;
    const excluded = await readExcludeList(shippedExcludeList());
    const parts = heldOutHashes(await readSplitFile(shippedSplit()));
    expect(pictures).toHaveLength(500);
    const confirmed = pictures.filter(({ kind }) =>
      ['back_of_head', 'hand', 'other_non_face'].includes(kind),
    );
    expect(confirmed.length).toBeGreaterThanOrEqual(150);
    for (const { part, source, region, overlay } of pictures) {
      if (part !== 'clips') expect(parts.get(source.hash)).toBe(part);
      if (overlay) expect(parts.get(overlay.source.hash)).toBe(part);
      expect(Math.min(region.width, region.height)).toBeGreaterThanOrEqual(160);
      expect((excluded.get(source.hash) ?? []).some((face) => overlaps(face, region))).toBe(false);
    }
  });
});
