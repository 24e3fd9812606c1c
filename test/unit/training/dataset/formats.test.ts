import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/domain/box.js';
import { MASK_LABELS, type MaskLabel } from '../../../../src/domain/label.js';
import { seededRandom } from '../../../../src/lib/random.js';
import { type DataProblem, discoverPictures } from '../../../../src/training/dataset/discover.js';
import type { LabelMap } from '../../../../src/training/dataset/label-names.js';
import type { ScenePicture } from '../../../../src/training/dataset/picture.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'maskwatch-formats-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, content: string | object): Promise<void> {
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, typeof content === 'string' ? content : JSON.stringify(content));
}

async function picture(path: string, width = 200, height = 100, orientation = 1): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: '#678' } })
    .withMetadata({ orientation })
    .toFile(join(root, path));
}

async function read(labelMap: LabelMap = {}): Promise<{ scenes: ScenePicture[]; problems: DataProblem[] }> {
  const problems: DataProblem[] = [];
  const found = await discoverPictures(root, { labelMap, onProblem: (problem) => problems.push(problem) });
  return { scenes: found.filter((scene) => scene.kind === 'scene'), problems };
}

interface Drawn {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly faces: { readonly box: Box; readonly label: MaskLabel }[];
}

/** Scenes with random boxes in whole pixels, as every form can hold them. */
function drawScenes(count: number): Drawn[] {
  const random = seededRandom(5);
  return Array.from({ length: count }, (_, index) => {
    const [width, height] = [80 + random.index(200), 60 + random.index(200)];
    return {
      name: `scene ${index}.jpg`,
      width,
      height,
      faces: Array.from({ length: random.index(5) }, () => {
        const box = { x: random.index(width - 20), y: random.index(height - 20) };
        const size = {
          width: 8 + random.index(width - box.x - 8),
          height: 8 + random.index(height - box.y - 8),
        };
        return { box: { ...box, ...size }, label: MASK_LABELS[random.index(3)]! };
      }),
    };
  });
}

const writers: Record<string, (scenes: readonly Drawn[]) => Promise<void>> = {
  'annotations.jsonl': async (scenes) => {
    const lines = scenes.map(({ name, width, height, faces }) =>
      JSON.stringify({
        file: `images/${name}`,
        width,
        height,
        faces: faces.map(({ box, label }) => ({ ...box, label })),
      }),
    );
    await write('annotations.jsonl', lines.join('\n'));
  },
  COCO: async (scenes) => {
    await write('annotations/instances_all.json', {
      images: scenes.map(({ name, width, height }, id) => ({ id, file_name: name, width, height })),
      categories: MASK_LABELS.map((name, id) => ({ id: id + 1, name })),
      annotations: scenes.flatMap(({ faces }, image_id) =>
        faces.map(({ box: { x, y, width, height }, label }, index) => ({
          id: image_id * 100 + index,
          image_id,
          category_id: MASK_LABELS.indexOf(label) + 1,
          bbox: [x, y, width, height],
        })),
      ),
    });
  },
  YOLO: async (scenes) => {
    await write('data.yaml', `train: images\nnames: [${MASK_LABELS.join(', ')}]\n`);
    for (const { name, width, height, faces } of scenes)
      await write(
        `labels/${name.replace('.jpg', '.txt')}`,
        faces
          .map(({ box, label }) =>
            [
              MASK_LABELS.indexOf(label),
              (box.x + box.width / 2) / width,
              (box.y + box.height / 2) / height,
              box.width / width,
              box.height / height,
            ].join(' '),
          )
          .join('\n'),
      );
  },
  'Pascal VOC': async (scenes) => {
    for (const { name, width, height, faces } of scenes)
      await write(
        `Annotations/${name.replace('.jpg', '.xml')}`,
        `<annotation><folder>x</folder><filename>${name}</filename>
        <size><width>${width}</width><height>${height}</height><depth>3</depth></size>
        ${faces.map(({ box, label }) => `<object><name>${label}</name><difficult>0</difficult><bndbox><xmin>${box.x}</xmin><ymin>${box.y}</ymin><xmax>${box.x + box.width}</xmax><ymax>${box.y + box.height}</ymax></bndbox></object>`).join('')}
        </annotation>`,
      );
  },
};

describe('the same scenes in every form', () => {
  it.each(Object.keys(writers))('come out with the same boxes and labels: %s', async (form) => {
    const drawn = drawScenes(12);
    for (const { name, width, height } of drawn) await picture(`images/${name}`, width, height);
    await writers[form]!(drawn);
    const { scenes, problems } = await read();
    expect(problems).toEqual([]);
    const byName = new Map(scenes.map((scene) => [scene.id.split('/').at(-1), scene]));
    expect(byName.size).toBe(drawn.length);
    for (const { name, width, height, faces } of drawn) {
      const scene = byName.get(name)!;
      expect(scene).toMatchObject({ width, height, faces: faces.map(({ label }) => ({ label })) });
      faces.forEach(({ box }, index) => {
        for (const side of ['x', 'y', 'width', 'height'] as const)
          expect(scene.faces[index]!.box[side]).toBeCloseTo(box[side], 6);
      });
    }
  });
});

describe('COCO', () => {
  const coco = (more: object = {}) => ({
    images: [{ id: 'a', file_name: 'a.jpg', width: 200, height: 100 }],
    categories: [
      { id: 0, name: 'people' },
      { id: 1, name: 'No-Mask' },
      { id: 2, name: 'face' },
    ],
    annotations: [
      { id: 7, image_id: 'a', category_id: 1, bbox: [10, 20, 30, 40] },
      { id: 8, image_id: 'a', category_id: 1, bbox: [100, 20, 30, 40], iscrowd: 1 },
    ],
    ...more,
  });

  it('lies beside the pictures too; a crowd is an ignored region; names nobody uses need no meaning', async () => {
    await picture('train/a.jpg');
    await write('train/_annotations.coco.json', coco());
    await write('train/package.json', { name: 'something else' });
    const { scenes } = await read();
    expect(scenes).toMatchObject([
      {
        faces: [{ label: 'without_mask', box: { x: 10, y: 20, width: 30, height: 40 } }],
        ignored: [{ x: 100, y: 20, width: 30, height: 40 }],
      },
    ]);
    expect(scenes[0]!.id).toMatch(/\/train\/a\.jpg$/);
  });

  it('names every label that it does not know, until a map tells what they mean', async () => {
    await picture('a.jpg');
    const faces = [0, 1, 2].map((category_id) => ({ image_id: 'a', category_id, bbox: [1, 2, 30, 40] }));
    await write('set.json', coco({ annotations: [...faces, faces[2]] }));
    await expect(read()).rejects.toMatchObject({
      code: 'DATA_LABEL_UNKNOWN',
      message: expect.stringMatching(/"people" \(1 times\), "face" \(2 times\)$/),
      hint: expect.stringContaining('--label-map'),
    });
    const { scenes } = await read({ People: 'skip', face: 'unclassified', 'no mask': 'with_mask' });
    expect(scenes).toMatchObject([{ faces: [{ label: 'with_mask' }], unclassified: [{}, {}] }]);
  });

  it.each([
    [
      { annotations: [{ image_id: 'b', category_id: 1, bbox: [1, 2, 3, 4] }] },
      'annotations.0: there is no image b',
    ],
    [
      { annotations: [{ image_id: 'a', category_id: 9, bbox: [1, 2, 3, 4] }] },
      'annotations.0: there is no category 9',
    ],
    [{ annotations: [{ image_id: 'a', category_id: 1, bbox: [1, 2, 3] }] }, 'annotations.0.bbox'],
    [{ images: [{ id: 1 }] }, 'images.0.file_name'],
  ])('tells what breaks the form: %j', async (more, message) => {
    await picture('a.jpg');
    await write('set.json', coco(more));
    await expect(read()).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('leaves out a picture of another size than annotated', async () => {
    await picture('a.jpg', 400, 100);
    await picture('b.jpg');
    const images = ['a', 'b'].map((id) => ({ id, file_name: `${id}.jpg`, width: 200, height: 100 }));
    await write('set.json', coco({ images }));
    const { scenes, problems } = await read();
    expect(scenes.map(({ id }) => id.at(-5))).toEqual(['b']);
    expect(problems).toMatchObject([{ kind: 'size_differs', message: expect.stringContaining('400 × 100') }]);
  });
});

describe('YOLO', () => {
  it('reads train and valid, names by number, polygons; tells pictures without a label file', async () => {
    for (const path of ['train/images/a.jpg', 'valid/images/deep/b.jpg', 'train/images/c.jpg'])
      await picture(path);
    await write('data.yaml', 'path: ../elsewhere\nnames:\n  0: mask\n  2: mask_weared_incorrect\n');
    await write('train/labels/a.txt', '0 0.5 0.5 0.1 0.2\n2 0.1 0.1 0.2 0.1 0.2 0.3 0.1 0.2\n');
    await write('valid/labels/deep/b.txt', '');
    const { scenes, problems } = await read();
    expect(scenes.map(({ faces }) => faces.length)).toEqual([2, 0]);
    expect(scenes[0]!.faces.map(({ label }) => label)).toEqual(['with_mask', 'mask_worn_incorrectly']);
    const { x, y, width, height } = scenes[0]!.faces[1]!.box;
    expect([x, y, width, height].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([20, 10, 20, 20]);
    expect(problems).toMatchObject([
      {
        kind: 'not_annotated',
        path: join(root, 'train/images/c.jpg'),
        message: expect.stringContaining('c.txt'),
      },
    ]);
  });

  it('lies beside the pictures with classes.txt', async () => {
    await picture('a.jpg');
    await write('classes.txt', 'with mask\nwithout mask\n');
    await write('a.txt', '1 0.5 0.5 0.5 0.5');
    expect((await read()).scenes).toMatchObject([
      { faces: [{ label: 'without_mask', box: { x: 50, y: 25, width: 100, height: 50 } }] },
    ]);
  });

  it.each([
    ['0 0.5 0.5 0.1', 'a.txt, line 1: has 4 numbers'],
    ['0 0.5 0.5 0.1 0.1\n1 a 0.5 0.1 0.1', 'a.txt, line 2: expected'],
    ['7 0.5 0.5 0.1 0.1', 'class 7 has no name'],
  ])('tells what breaks the form: %j', async (text, message) => {
    await picture('a.jpg');
    await write('classes.txt', 'mask\nno_mask\n');
    await write('a.txt', text);
    await expect(read()).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringContaining(message),
    });
  });
});

describe('Pascal VOC', () => {
  const voc = (
    filename: string,
    label: string,
    box = '<xmin>1</xmin><ymin>2</ymin><xmax>31</xmax><ymax>42</ymax>',
  ) =>
    `<annotation><filename>${filename}</filename><object><name>${label}</name><bndbox>${box}</bndbox></object></annotation>`;

  it('finds the picture by its name, by that of the file, and in the nearest folder', async () => {
    for (const path of ['train/images/007.png', 'test/images/007.png', 'train/images/b.jpg'])
      await picture(path);
    await write('train/annotations/007.xml', voc('007.png', 'mask &amp; hat'));
    await write('train/annotations/b.xml', voc('renamed since.jpg', 'without_mask'));
    await write('test/annotations/007.xml', voc('C:\\pictures\\007.png', 'with_mask'));
    const { scenes } = await read({ 'mask & hat': 'with_mask' });
    expect(scenes.map(({ id, faces }) => `${id.split('/').slice(1).join('/')} ${faces[0]!.label}`)).toEqual([
      'test/images/007.png with_mask',
      'train/images/007.png with_mask',
      'train/images/b.jpg without_mask',
    ]);
    expect(scenes[0]!.faces[0]!.box).toEqual({ x: 1, y: 2, width: 30, height: 40 });
  });

  it.each([
    ['<annotation><object>', /line 1/],
    [
      voc('a.jpg', 'mask', '<xmin>one</xmin><ymin>2</ymin><xmax>31</xmax><ymax>42</ymax>'),
      /xmin.* is no number/,
    ],
    ['<pictures></pictures>', /annotation/],
  ])('tells what breaks the form: %s', async (text, message) => {
    await picture('a.jpg');
    await write('a.xml', text);
    await expect(read()).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

describe('orientation tags', () => {
  // A mark at the stored picture's (20 … 50, 10 … 50); where it is displayed is asked of sharp itself.
  const stored = { x: 20, y: 10, width: 30, height: 40 };

  async function displayedMark(orientation: number): Promise<Box> {
    const mark = await sharp({ create: { width: 30, height: 40, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    const file = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#000' } })
      .composite([{ input: mark, left: stored.x, top: stored.y }])
      .withMetadata({ orientation })
      .jpeg({ quality: 100 })
      .toBuffer();
    await write('images/x.txt', '');
    await writeFile(join(root, 'images/x.jpg'), file);
    const { data, info } = await sharp(file)
      .autoOrient()
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const on = [...data.keys()].filter((at) => data[at]! > 128);
    const [xs, ys] = [on.map((at) => at % info.width), on.map((at) => Math.floor(at / info.width))];
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return { x, y, width: Math.max(...xs) - x + 1, height: Math.max(...ys) - y + 1 };
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'boxes of the stored picture are turned as it is: %i',
    async (orientation) => {
      const expected = await displayedMark(orientation);
      const face = { ...stored, label: 'with_mask' };
      await write('annotations.jsonl', { file: 'images/x.jpg', width: 200, height: 100, faces: [face] });
      const { scenes, problems } = await read();
      expect(problems).toEqual([]);
      expect(scenes[0]!.faces[0]!.box).toEqual(expected);
      expect(scenes[0]!.width).toBe(orientation >= 5 ? 100 : 200);
    },
  );

  it('boxes of the displayed picture stay as they are, which the annotated size tells', async () => {
    await picture('a.jpg', 200, 100, 6);
    const annotation = { image_id: 1, category_id: 1, bbox: [10, 20, 30, 40] };
    const write6 = (width: number, height: number) =>
      write('set.json', {
        images: [{ id: 1, file_name: 'a.jpg', width, height }],
        categories: [{ id: 1, name: 'mask' }],
        annotations: [annotation],
      });
    await write6(100, 200);
    expect((await read()).scenes[0]!.faces[0]!.box).toEqual({ x: 10, y: 20, width: 30, height: 40 });
    await write6(200, 100);
    expect((await read()).scenes[0]!.faces[0]!.box).toEqual({ x: 40, y: 10, width: 40, height: 30 });
  });
});
