import type { Landmarks } from '../../domain/face.js';
import type { Random } from '../../lib/random.js';
import { blankPicture, type RgbPicture, toSharp } from '../dataset/rgb-picture.js';

/** Labels that a painted mask can give a bare face. */
export type PaintedLabel = 'with_mask' | 'mask_worn_incorrectly';

/**
 * Where a mask's edges lie, in distances from the eyes (0) to the mouth (1): the tip of the nose is near 0.6, the
 * chin near 1.7.
 */
interface MaskPlace {
  readonly top: readonly [number, number];
  readonly bottom: readonly [number, number];
}
const WORN: MaskPlace = { top: [0.18, 0.42], bottom: [1.65, 1.95] };
const NOSE_OUT: MaskPlace = { top: [0.78, 0.95], bottom: [1.7, 2.05] };
const CHIN: MaskPlace = { top: [1.2, 1.5], bottom: [1.85, 2.25] };
const CHIN_CHANCE = 0.35;

/** Hue, saturation and lightness of cloth: surgical blue and white most often, then black and the rest. */
function drawCloth(random: Random): { fill: string; shade: string } {
  const kind = random.next();
  const [hue, saturation, lightness] =
    kind < 0.4
      ? [random.between(185, 220), random.between(20, 75), random.between(45, 85)]
      : kind < 0.7
        ? [random.between(0, 360), random.between(0, 8), random.between(62, 97)]
        : kind < 0.82
          ? [random.between(0, 360), random.between(0, 15), random.between(5, 25)]
          : [random.between(0, 360), random.between(15, 70), random.between(20, 75)];
  const colour = (light: number) => `hsl(${hue.toFixed(0)},${saturation.toFixed(0)}%,${light.toFixed(0)}%)`;
  return { fill: colour(lightness), shade: colour(lightness * random.between(0.6, 0.95)) };
}

/**
 * A copy of the picture with a mask drawn on one bare face: over nose and chin, or with the nose (and sometimes the
 * mouth) free. Adds what is rare among real pictures; never used where figures are taken.
 */
export async function paintMask(
  picture: RgbPicture,
  landmarks: Landmarks,
  label: PaintedLabel,
  random: Random,
): Promise<RgbPicture> {
  const fragment = maskSvg(landmarks, label, random);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${picture.width}" height="${picture.height}">${fragment}</svg>`;
  const raw = await toSharp(picture)
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .raw()
    .toBuffer();
  const painted = blankPicture(picture.width, picture.height);
  painted.data.set(raw);
  return painted;
}

function maskSvg(landmarks: Landmarks, label: PaintedLabel, random: Random): string {
  const [rightEye, leftEye, nose, rightMouth, leftMouth] = landmarks;
  const eyes = { x: (rightEye.x + leftEye.x) / 2, y: (rightEye.y + leftEye.y) / 2 };
  const mouth = { x: (rightMouth.x + leftMouth.x) / 2, y: (rightMouth.y + leftMouth.y) / 2 };
  const down = { x: mouth.x - eyes.x, y: mouth.y - eyes.y };
  const heightPx = Math.max(1, Math.hypot(down.x, down.y));
  const eyePx = Math.max(1, Math.hypot(leftEye.x - rightEye.x, leftEye.y - rightEye.y));
  const across = { x: (leftEye.x - rightEye.x) / eyePx, y: (leftEye.y - rightEye.y) / eyePx };
  const unitPx = Math.max(eyePx, heightPx * 0.9);
  // The nose leans to the side to which the head is turned.
  const turn = Math.max(
    -0.5,
    Math.min(0.5, ((nose.x - eyes.x) * across.x + (nose.y - eyes.y) * across.y) / unitPx),
  );
  const place = label === 'with_mask' ? WORN : random.chance(CHIN_CHANCE) ? CHIN : NOSE_OUT;
  const top = random.between(...place.top);
  const bottom = random.between(...place.bottom);
  const half = random.between(0.82, 1.05);
  const sag = random.between(0, 0.22);
  const narrow = random.between(0.35, 0.6);
  const at = (side: number, level: number) => {
    const shift = side * unitPx * half + turn * unitPx * (0.5 - Math.abs(side) * 0.1);
    return `${(eyes.x + across.x * shift + down.x * level).toFixed(1)},${(eyes.y + across.y * shift + down.y * level).toFixed(1)}`;
  };
  const middle = top + (bottom - top) * 0.55;
  const outline = [
    `M${at(-1, top + sag)}`,
    `Q${at(-0.45, top - 0.05)} ${at(0, top)}`,
    `Q${at(0.45, top - 0.05)} ${at(1, top + sag)}`,
    `Q${at(0.98, middle)} ${at(narrow, bottom - 0.06)}`,
    `Q${at(0, bottom + 0.06)} ${at(-narrow, bottom - 0.06)}`,
    `Q${at(-0.98, middle)} ${at(-1, top + sag)}Z`,
  ].join(' ');
  const { fill, shade } = drawCloth(random);
  const strokePx = Math.max(0.5, unitPx * 0.025);
  const pleats = random.chance(0.6)
    ? [0.35, 0.55, 0.75].map((share) => {
        const level = top + sag + (bottom - top - sag) * share;
        return `<path d="M${at(-0.75, level - 0.04)} Q${at(0, level + 0.08)} ${at(0.75, level - 0.04)}" fill="none" stroke="${shade}" stroke-width="${strokePx.toFixed(1)}"/>`;
      })
    : [];
  const straps = random.chance(0.6)
    ? [-1, 1].map(
        (side) =>
          `<path d="M${at(side, top + sag)} L${at(side * 1.12, Math.min(top, 0.5) - 0.2)}" stroke="${fill}" stroke-width="${strokePx.toFixed(1)}" opacity="0.7"/>`,
      )
    : [];
  const [x2, y2] = [random.next().toFixed(2), random.next().toFixed(2)];
  const blurPx = (unitPx * random.between(0.005, 0.02)).toFixed(2);
  return `<defs><linearGradient id="cloth" x1="0" y1="0" x2="${x2}" y2="${y2}"><stop offset="0" stop-color="${fill}"/><stop offset="1" stop-color="${shade}"/></linearGradient><filter id="soft"><feGaussianBlur stdDeviation="${blurPx}"/></filter></defs><g filter="url(#soft)" opacity="${random.between(0.9, 1).toFixed(2)}">${straps.join('')}<path d="${outline}" fill="url(#cloth)"/>${pleats.join('')}</g>`;
}
