import sharp, { type OverlayOptions } from 'sharp';
import type { Box } from '../../domain/box.js';
import { type RgbPicture, toSharp } from '../dataset/rgb-picture.js';
import type { CutMask } from './cut-mask.js';
import type { FacelessPlan } from './faceless-picture.js';

/** Of the written pictures: high enough that the quality of the sources decides. */
const JPEG_QUALITY = 92;

/** Cuts a picture out of its source, with the mask on it where the plan has one. JPEG. */
export async function renderPicture(
  { region, overlay }: Pick<FacelessPlan, 'region' | 'overlay'>,
  source: RgbPicture,
  mask: CutMask | null,
): Promise<Buffer> {
  const cut = toSharp(source).extract({
    ...{ left: region.x, top: region.y, width: region.width, height: region.height },
  });
  if (!overlay || !mask) return await cut.jpeg({ quality: JPEG_QUALITY }).toBuffer();
  const laid = await layMask(mask, overlay.box, overlay.turnDegrees);
  return await sharp(await cut.png().toBuffer())
    .composite([laid])
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
}

/** The mask at its size, turned about its middle. */
async function layMask(mask: CutMask, box: Box, turnDegrees: number): Promise<OverlayOptions> {
  const sized = await sharp(mask.png).resize(box.width, box.height, { fit: 'fill' }).png().toBuffer();
  const { data, info } = await sharp(sized)
    .rotate(turnDegrees, { background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .png()
    .toBuffer({ resolveWithObject: true });
  return {
    input: data,
    left: Math.round(box.x + (box.width - info.width) / 2),
    top: Math.round(box.y + (box.height - info.height) / 2),
  };
}
