import type { Box } from '../../domain/box.js';
import type { Random } from '../../lib/random.js';
import { resample } from '../../lib/resample.js';
import { blankPicture, type RgbPicture, readRgbPicture, toSharp } from '../dataset/rgb-picture.js';

export interface DegradeRange {
  /** Longer side of the face after shrinking, pixels: drawn evenly on a logarithmic scale. */
  readonly facePx: readonly [min: number, max: number];
  /** Quality of the JPEG that the camera's coding stands for. */
  readonly jpegQuality: readonly [min: number, max: number];
  /** Greatest blur (standard deviation), in pixels of the shrunk picture. */
  readonly maxBlurPx: number;
}

export interface PictureWithBox {
  readonly picture: RgbPicture;
  readonly box: Box;
}

/** Surroundings of a face that are kept, as a multiple of its longer side. */
const NEIGHBOURHOOD = 2.4;

/**
 * The face as a distant camera would deliver it: its surroundings shrunk so that the face has few pixels,
 * blurred, coded as JPEG and decoded again. A face that is already smaller than drawn keeps its size.
 */
export async function degradeFace(
  { picture, box }: PictureWithBox,
  range: DegradeRange,
  random: Random,
): Promise<PictureWithBox> {
  const longer = Math.max(box.width, box.height);
  const [min, max] = range.facePx;
  const facePx = Math.min(longer, min * (max / min) ** random.next());
  const scale = facePx / longer;
  const side = longer * NEIGHBOURHOOD;
  const left = box.x + box.width / 2 - side / 2;
  const top = box.y + box.height / 2 - side / 2;
  const small = blankPicture(Math.max(8, Math.round(side * scale)), Math.max(8, Math.round(side * scale)));
  resample(
    picture,
    { x: left, y: top, width: side, height: side },
    { data: small.data, offset: 0, width: small.width, height: small.height, strideBytes: small.width * 3 },
  );
  const [lowQuality, highQuality] = range.jpegQuality;
  const quality = Math.round(random.between(lowQuality, highQuality));
  const blurPx = random.chance(0.5) ? random.between(0, range.maxBlurPx) : 0;
  let pipeline = toSharp(small);
  if (blurPx >= 0.3) pipeline = pipeline.blur(blurPx);
  const coded = await pipeline.jpeg({ quality }).toBuffer();
  const factor = small.width / side;
  return {
    picture: await readRgbPicture(coded),
    box: {
      x: (box.x - left) * factor,
      y: (box.y - top) * factor,
      width: box.width * factor,
      height: box.height * factor,
    },
  };
}
