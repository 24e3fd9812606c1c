import type { Box } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import type { Random } from '../../lib/random.js';
import { paintMask } from '../augment/paint-mask.js';
import { type RecolourRange, recolour } from '../augment/recolour.js';
import { readRgbPicture, toSharp } from '../dataset/rgb-picture.js';
import type { TargetFace } from './face-targets.js';
import { type TeachingPicture, TrainingCanvas } from './training-canvas.js';

export interface SampleRules {
  readonly sizePx: number;
  /** Shorter side of the face that a crop is made for, pixels of the input: even on a logarithmic scale. */
  readonly facePx: readonly [min: number, max: number];
  readonly leastFacePx: number;
  /** Pictures are enlarged by no more than this. */
  readonly mostEnlarged: number;
  /** Chance that a crop is made for a place without a face, or for one that looks like a face. */
  readonly backgroundChance: number;
  /** Chance that a bare face with landmarks gets a mask. */
  readonly paintChance: number;
  /** Chance of a mask where there is no face. */
  readonly loneMaskChance: number;
  readonly codedChance: number;
  readonly jpegQuality: readonly [min: number, max: number];
  readonly maxBlurPx: number;
  readonly recolourChance: number;
  readonly recolour: RecolourRange;
}

export const SAMPLE_RULES: SampleRules = {
  sizePx: 320,
  facePx: [9, 170],
  leastFacePx: 7,
  mostEnlarged: 2.5,
  backgroundChance: 0.15,
  paintChance: 0.2,
  loneMaskChance: 0.08,
  codedChance: 0.35,
  jpegQuality: [25, 90],
  maxBlurPx: 1.5,
  recolourChance: 0.6,
  recolour: { brightness: 1.8, gamma: 1.5, cast: 1.15, greyChance: 0.06, maxNoise: 12 },
};

/** A crop of a scene at a drawn scale, around one of its faces or around something else. */
export async function sceneSample(
  source: TeachingPicture,
  rules: SampleRules,
  random: Random,
): Promise<TrainingCanvas> {
  const canvas = new TrainingCanvas(rules.sizePx, rules.leastFacePx);
  const { picture, targets } = source;
  const wholeScale = rules.sizePx / Math.max(picture.width, picture.height);
  const anchor = drawAnchor(source, rules, random);
  const facePx = rules.facePx[0] * (rules.facePx[1] / rules.facePx[0]) ** random.next();
  const anchorPx = Math.min(anchor.width, anchor.height);
  // Not so small that the whole picture fills only a corner of the input.
  const scale = Math.min(rules.mostEnlarged, Math.max(facePx / anchorPx, wholeScale * 0.6));
  const place = (start: number, length: number, pictureLength: number) => {
    const middle = (start + length / 2) * scale;
    const wanted = random.between(0.15, 0.85) * rules.sizePx - middle;
    const slack = rules.sizePx - pictureLength * scale;
    // Mostly filled with picture; black remains as it does beside a letterboxed frame.
    return random.chance(0.1) ? wanted : Math.min(Math.max(wanted, Math.min(slack, 0)), Math.max(slack, 0));
  };
  canvas.place(
    { picture, targets },
    {
      scale,
      x: place(anchor.x, anchor.width, picture.width),
      y: place(anchor.y, anchor.height, picture.height),
    },
    whole(rules.sizePx),
  );
  return finish(canvas, rules, random);
}

/** Four pictures of one person each, side by side, none bigger than its quarter. */
export async function portraitSample(
  sources: readonly [TeachingPicture, TeachingPicture, TeachingPicture, TeachingPicture],
  rules: SampleRules,
  random: Random,
): Promise<TrainingCanvas> {
  const canvas = new TrainingCanvas(rules.sizePx, rules.leastFacePx);
  const grey = random.chance(0.5) ? 0 : random.index(256);
  canvas.picture.data.fill(grey);
  const splitX = Math.round(rules.sizePx * random.between(0.35, 0.65));
  const splitY = Math.round(rules.sizePx * random.between(0.35, 0.65));
  sources.forEach((source, index) => {
    const isRight = index % 2 === 1;
    const isLower = index >= 2;
    const clip: Box = {
      x: isRight ? splitX : 0,
      y: isLower ? splitY : 0,
      width: isRight ? rules.sizePx - splitX : splitX,
      height: isLower ? rules.sizePx - splitY : splitY,
    };
    const { width, height } = source.picture;
    const fill = Math.max(clip.width / width, clip.height / height);
    const scale = fill * random.between(0.35, 1.1);
    canvas.place(
      source,
      {
        scale,
        x: clip.x + (clip.width - width * scale) * random.next(),
        y: clip.y + (clip.height - height * scale) * random.next(),
      },
      clip,
    );
  });
  return finish(canvas, rules, random);
}

/** What a crop is made for. */
function drawAnchor({ picture, targets }: TeachingPicture, rules: SampleRules, random: Random): Box {
  const { faces, hardNegatives } = targets;
  if (faces.length > 0 && !random.chance(rules.backgroundChance))
    return faces[random.index(faces.length)]!.box;
  if (hardNegatives.length > 0 && random.chance(0.7))
    return hardNegatives[random.index(hardNegatives.length)]!;
  const side = Math.min(picture.width, picture.height) * random.between(0.1, 0.4);
  return {
    x: random.between(0, picture.width - side),
    y: random.between(0, picture.height - side),
    width: side,
    height: side,
  };
}

async function finish(canvas: TrainingCanvas, rules: SampleRules, random: Random): Promise<TrainingCanvas> {
  await paintFaces(canvas, rules, random);
  if (random.chance(rules.loneMaskChance)) await paintLoneMask(canvas, random);
  if (random.chance(0.5)) canvas.flip();
  if (random.chance(rules.codedChance)) await code(canvas, rules, random);
  if (random.chance(rules.recolourChance)) recolour(canvas.picture.data, rules.recolour, random);
  return canvas;
}

/** Masks on bare faces: what is drawn over a face hides nothing that a detector needs. */
async function paintFaces(canvas: TrainingCanvas, rules: SampleRules, random: Random): Promise<void> {
  const faces: TargetFace[] = [];
  for (const face of canvas.faces) {
    const isBare = face.label === 'without_mask' && face.landmarks !== null;
    if (!isBare || Math.min(face.box.width, face.box.height) < 14 || !random.chance(rules.paintChance)) {
      faces.push(face);
      continue;
    }
    const label = random.chance(0.75) ? 'with_mask' : 'mask_worn_incorrectly';
    canvas.picture = await paintMask(canvas.picture, face.landmarks!, label, random);
    faces.push({ ...face, label });
  }
  canvas.faces = faces;
}

async function paintLoneMask(canvas: TrainingCanvas, random: Random): Promise<void> {
  const unit = random.between(6, 40);
  const place: Box = {
    x: random.between(0, canvas.sizePx - 3 * unit),
    y: random.between(0, canvas.sizePx - 3 * unit),
    width: 3 * unit,
    height: 3 * unit,
  };
  const isTaken = [...canvas.faces.map(({ box }) => box), ...canvas.ignored].some(
    (box) =>
      box.x < place.x + place.width &&
      place.x < box.x + box.width &&
      box.y < place.y + place.height &&
      place.y < box.y + box.height,
  );
  if (isTaken) return;
  const at = (x: number, y: number) => ({ x: place.x + x * unit, y: place.y + y * unit });
  const landmarks: Landmarks = [at(1, 0.4), at(2, 0.4), at(1.5, 1), at(1.1, 1.5), at(1.9, 1.5)];
  canvas.picture = await paintMask(canvas.picture, landmarks, 'with_mask', random);
  canvas.hardNegatives.push(place);
}

/** As a camera codes it: blurred, and as JPEG. */
async function code(canvas: TrainingCanvas, rules: SampleRules, random: Random): Promise<void> {
  const blurPx = random.chance(0.5) ? random.between(0, rules.maxBlurPx) : 0;
  let pipeline = toSharp(canvas.picture);
  if (blurPx >= 0.3) pipeline = pipeline.blur(blurPx);
  const quality = Math.round(random.between(...rules.jpegQuality));
  canvas.picture = await readRgbPicture(await pipeline.jpeg({ quality }).toBuffer());
}

function whole(sizePx: number): Box {
  return { x: 0, y: 0, width: sizePx, height: sizePx };
}
