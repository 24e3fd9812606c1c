import { describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/domain/box.js';
import { seededRandom } from '../../../../src/lib/random.js';
import {
  portraitSample,
  SAMPLE_RULES,
  type SampleRules,
  sceneSample,
} from '../../../../src/training/detector/compose-sample.js';
import type { TeachingPicture, TrainingCanvas } from '../../../../src/training/detector/training-canvas.js';
import { BACKGROUND, colourAt, drawFace, faceAt, plainPicture, SKIN } from './pictures.js';

const SIZE_PX = 160;
const RULES: SampleRules = { ...SAMPLE_RULES, sizePx: SIZE_PX, facePx: [9, 85] };
/** Nothing is painted, coded or recoloured. */
const PLAIN: SampleRules = { ...RULES, paintChance: 0, loneMaskChance: 0, codedChance: 0, recolourChance: 0 };

function scene(faces = [faceAt(20, 30, 24), faceAt(90, 40, 12, 'with_mask'), faceAt(150, 60, 16, null)]) {
  const picture = plainPicture(200, 120);
  for (const face of faces) drawFace(picture, face);
  const hardNegatives: Box[] = [{ x: 60, y: 90, width: 14, height: 14 }];
  return { picture, targets: { faces, ignored: [], hardNegatives } } satisfies TeachingPicture;
}

function portrait(label: 'with_mask' | 'without_mask' = 'with_mask'): TeachingPicture {
  const picture = plainPicture(60, 60);
  const face = faceAt(15, 15, 30, label);
  drawFace(picture, face);
  return { picture, targets: { faces: [face], ignored: [], hardNegatives: [] } };
}

async function scenes(count: number, rules: SampleRules, source = scene()): Promise<TrainingCanvas[]> {
  const canvases: TrainingCanvas[] = [];
  for (let seed = 0; seed < count; seed++)
    canvases.push(await sceneSample(source, rules, seededRandom(seed)));
  return canvases;
}

const contentOf = ({ faces, ignored, hardNegatives, picture }: TrainingCanvas) => ({
  faces,
  ignored,
  hardNegatives,
  pixels: Buffer.from(picture.data).toString('base64'),
});
const facePxOf = ({ width, height }: Box) => Math.min(width, height);

function expectInside(canvas: TrainingCanvas): void {
  expect(canvas.picture.data).toHaveLength(SIZE_PX * SIZE_PX * 3);
  for (const { x, y, width, height } of [
    ...canvas.faces.map(({ box }) => box),
    ...canvas.ignored,
    ...canvas.hardNegatives,
  ]) {
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(-1e-9);
    expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(SIZE_PX + 1e-9);
  }
  for (const { box } of canvas.faces) expect(facePxOf(box)).toBeGreaterThanOrEqual(RULES.leastFacePx);
}

describe('a sample of a scene', () => {
  it('is the same for the same seed, and another for another', async () => {
    const make = async (seed: number) => contentOf(await sceneSample(scene(), RULES, seededRandom(seed)));
    expect(await make(4)).toEqual(await make(4));
    expect((await make(4)).pixels).not.toBe((await make(5)).pixels);
  });

  it('keeps everything inside and faces where the picture shows them', async () => {
    const canvases = await scenes(60, PLAIN);
    let checked = 0;
    for (const canvas of canvases) {
      expectInside(canvas);
      for (const { box, landmarks } of canvas.faces) {
        if (facePxOf(box) < 20 || !landmarks) continue;
        // Between the eyes, above the nose: skin.
        const [right, left] = landmarks;
        expect(colourAt(canvas.picture, { x: (right.x + left.x) / 2, y: right.y })).toEqual(SKIN);
        expect(right.x).toBeLessThan(left.x);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(30);
    expect(canvases.filter(({ faces }) => faces.length > 0).length).toBeGreaterThan(40);
  });

  it('draws sizes from the whole range, and enlarges no more than allowed', async () => {
    const one = scene([faceAt(80, 40, 20)]);
    const rules = { ...PLAIN, backgroundChance: 0, mostEnlarged: 2 };
    const sizes = (await scenes(80, rules, one)).flatMap(({ faces }) =>
      faces.map(({ box }) => facePxOf(box)),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(40 + 1e-9);
    expect(Math.max(...sizes)).toBeGreaterThan(36);
    // The picture is to fill six tenths of the input at least: 20 px · 160/200 · 0.6 = 9.6 px.
    expect(Math.min(...sizes)).toBeLessThan(12);
  });

  it('is sometimes made for what looks like a face', async () => {
    const canvases = await scenes(40, { ...PLAIN, backgroundChance: 1, facePx: [30, 31] });
    // Scaled so that it has the size of the faces that are drawn; of a place at random it would have any.
    const made = canvases.filter(({ hardNegatives: [place] }) => {
      const sidePx = place ? facePxOf(place) : 0;
      return sidePx > 29.9 && sidePx < 31.1;
    }).length;
    expect(made).toBeGreaterThan(20);
    expect(made).toBeLessThan(40);
  });

  it('paints masks on bare faces with landmarks, and says so', async () => {
    const blind = { ...faceAt(70, 70, 40), landmarks: null };
    // Its weight tells the face that came with a mask from those that are painted.
    const masked = { ...faceAt(120, 30, 40, 'with_mask'), weight: 0.9 };
    const rules = { ...PLAIN, facePx: [40, 41] as const, backgroundChance: 0 };
    const source = scene([faceAt(20, 30, 40), masked, blind]);
    const shown = (canvases: TrainingCanvas[]) =>
      canvases.flatMap(({ picture, faces }) =>
        faces.filter(({ box }) => facePxOf(box) > 35).map((face) => ({ ...face, picture })),
      );
    const plain = shown(await scenes(40, rules, source));
    const painted = shown(await scenes(40, { ...rules, paintChance: 1 }, source));
    const countOf = (faces: typeof plain, label: string, hasLandmarks: boolean) =>
      faces.filter((face) => face.label === label && (face.landmarks !== null) === hasLandmarks).length;
    expect(countOf(plain, 'without_mask', true)).toBeGreaterThan(5);
    expect(countOf(painted, 'without_mask', true)).toBe(0);
    expect(countOf(painted, 'mask_worn_incorrectly', true)).toBeGreaterThan(0);
    expect(countOf(painted, 'without_mask', false)).toBeGreaterThan(0);

    for (const face of [...plain, ...painted]) {
      if (!face.landmarks) continue;
      const [eye, , { x }, { y: mouthY }] = face.landmarks;
      // A mask worn ends below the mouth; one that leaves the nose free, below the chin.
      const belowChin = { x, y: eye.y + 1.63 * (mouthY - eye.y) };
      const mouth = colourAt(face.picture, { x, y: mouthY });
      const isPainted = painted.includes(face) && face.weight === 1;
      if (!isPainted || face.label === 'with_mask') expect(mouth.join() !== SKIN.join()).toBe(isPainted);
      if (belowChin.y > SIZE_PX - 2) continue;
      const below = colourAt(face.picture, belowChin);
      if (!isPainted || face.label === 'mask_worn_incorrectly')
        expect(below.join() !== BACKGROUND.join()).toBe(isPainted);
    }
  });

  it('calls a mask without a face background, and puts none over a face', async () => {
    const empty = { ...scene([]), targets: { faces: [], ignored: [], hardNegatives: [] } };
    const alone = await scenes(20, { ...PLAIN, loneMaskChance: 1 }, empty);
    for (const canvas of alone) {
      expect(canvas.hardNegatives).toHaveLength(1);
      expectInside(canvas);
    }
    const full = faceAt(0, 0, 120);
    const rules = { ...PLAIN, loneMaskChance: 1, facePx: [90, 91] as const, backgroundChance: 0 };
    for (const canvas of await scenes(20, rules, {
      ...scene([full]),
      targets: { faces: [full], ignored: [], hardNegatives: [] },
    }))
      for (const mask of canvas.hardNegatives)
        for (const { box } of canvas.faces)
          expect(mask.x + mask.width <= box.x || box.x + box.width <= mask.x).toBe(true);
  });

  it('keeps its size when it is coded', async () => {
    const [sharp, coded] = [
      await scenes(6, PLAIN),
      await scenes(6, { ...PLAIN, codedChance: 1, jpegQuality: [25, 40], maxBlurPx: 1.5 }),
    ];
    coded.forEach((canvas, index) => {
      expectInside(canvas);
      expect(canvas.faces).toEqual(sharp[index]!.faces);
      expect(Buffer.compare(canvas.picture.data, sharp[index]!.picture.data)).not.toBe(0);
    });
  });
});

describe('a sample of portraits', () => {
  it('shows four people, each in a part of its own', async () => {
    const sources = [portrait(), portrait('without_mask'), portrait(), portrait('without_mask')] as const;
    let shown = 0;
    for (let seed = 0; seed < 30; seed++) {
      const canvas = await portraitSample(sources, PLAIN, seededRandom(seed));
      expectInside(canvas);
      expect(canvas.faces.length + canvas.ignored.length).toBeLessThanOrEqual(4);
      shown += canvas.faces.length;
      const boxes = [...canvas.faces.map(({ box }) => box), ...canvas.ignored];
      boxes.forEach((a, i) => {
        for (const b of boxes.slice(i + 1))
          expect(
            a.x + a.width <= b.x + 1e-9 ||
              b.x + b.width <= a.x + 1e-9 ||
              a.y + a.height <= b.y + 1e-9 ||
              b.y + b.height <= a.y + 1e-9,
          ).toBe(true);
      });
    }
    expect(shown).toBeGreaterThan(90);
  });

  it('is the same for the same seed', async () => {
    const sources = [portrait(), portrait(), portrait(), portrait('without_mask')] as const;
    const make = async (seed: number) => contentOf(await portraitSample(sources, RULES, seededRandom(seed)));
    expect(await make(3)).toEqual(await make(3));
    expect((await make(3)).pixels).not.toBe((await make(6)).pixels);
  });
});
