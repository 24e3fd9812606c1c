import sharp, { type OverlayOptions } from 'sharp';
import { extractCrop } from '../../crops/extract.js';
import { topLabel } from '../../domain/label.js';
import { readRgbPicture } from '../dataset/rgb-picture.js';
import type { FaceRecord } from './judge-pictures.js';

const CELL_PX = 144;
const CAPTION_PX = 30;
const COLUMNS = 8;
const SHORT = { with_mask: 'mask', without_mask: 'bare', mask_worn_incorrectly: 'incorrect' } as const;

/** The wrongly judged faces, the surest mistakes first. */
export function worstErrors(faces: readonly FaceRecord[], count: number): FaceRecord[] {
  const sureness = ({ scores }: FaceRecord) => scores[topLabel(scores)];
  return faces
    .filter(({ label, scores }) => topLabel(scores) !== label)
    .sort((a, b) => sureness(b) - sureness(a))
    .slice(0, count);
}

/** JPEG of face crops with what was labelled → judged, the score and the face's size below each. */
export async function contactSheet(faces: readonly FaceRecord[]): Promise<Buffer> {
  const rows = Math.max(1, Math.ceil(faces.length / COLUMNS));
  const tiles: OverlayOptions[] = [];
  for (const [index, face] of faces.entries()) {
    const left = (index % COLUMNS) * CELL_PX;
    const top = Math.floor(index / COLUMNS) * (CELL_PX + CAPTION_PX);
    const pixels = new Uint8Array(CELL_PX * CELL_PX * 3);
    extractCrop(
      await readRgbPicture(face.picture.path),
      face.box,
      { sizePx: CELL_PX, marginRatio: 0.4 },
      pixels,
    );
    tiles.push(
      { input: Buffer.from(pixels.buffer), raw: { width: CELL_PX, height: CELL_PX, channels: 3 }, left, top },
      { input: Buffer.from(caption(face)), left, top: top + CELL_PX },
    );
  }
  return sharp({
    create: {
      width: COLUMNS * CELL_PX,
      height: rows * (CELL_PX + CAPTION_PX),
      channels: 3,
      background: '#1b1e23',
    },
  })
    .composite(tiles)
    .jpeg({ quality: 85 })
    .toBuffer();
}

function caption({ label, scores, facePx, isFound, reason }: FaceRecord): string {
  const judged = topLabel(scores);
  const note = reason ?? (isFound ? '' : 'not found');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${CELL_PX}" height="${CAPTION_PX}" font-family="sans-serif" font-size="11" fill="#e8eaed"><text x="4" y="12">${SHORT[label]} → ${SHORT[judged]} ${scores[judged].toFixed(2)}</text><text x="4" y="25" fill="#9aa0a6">${Math.round(facePx)} px ${note}</text></svg>`;
}
