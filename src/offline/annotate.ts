import { basename } from 'node:path';
import sharp, { type OverlayOptions } from 'sharp';
import { type Box, iou, scaleBox } from '../domain/box.js';
import type { PixelBuffer } from '../domain/frame.js';
import type { Outcome } from '../domain/label.js';
import { type DetectedFace, type DetectionLine, lineTitle } from './detection-line.js';

const COLOURS: Record<Outcome, string> = {
  with_mask: '#35c07a',
  without_mask: '#ff4d4f',
  mask_worn_incorrectly: '#ffb020',
  not_assessable: '#9aa7b4',
};
const WORDS: Record<Outcome, string> = {
  with_mask: 'mask',
  without_mask: 'no mask',
  mask_worn_incorrectly: 'worn wrong',
  not_assessable: '?',
};

/** JPEG of a picture with the boxes, track ids and outcomes of its line, at most `maxWidthPx` wide. */
export async function annotate(pixels: PixelBuffer, line: DetectionLine, maxWidthPx = 960): Promise<Buffer> {
  const { contentWidth, contentHeight, width } = pixels;
  // A copy: libvips reads late, and the frame's buffer is used again.
  const bytes = Buffer.from(
    new Uint8Array(pixels.buffer, pixels.byteOffset, width * contentHeight * 3).slice(),
  );
  const outWidth = Math.min(maxWidthPx, Math.max(contentWidth, Math.min(line.width, maxWidthPx)));
  const outHeight = Math.max(1, Math.round((outWidth * line.height) / line.width));
  return await sharp(bytes, { raw: { width, height: contentHeight, channels: 3 } })
    .extract({ left: 0, top: 0, width: contentWidth, height: contentHeight })
    .resize(outWidth, outHeight, { fit: 'fill' })
    .composite([{ input: Buffer.from(drawing(line, outWidth, outHeight)) }])
    .jpeg({ quality: 82 })
    .toBuffer();
}

const FONT_PX = 13;
/** Room between a label and the picture's edge. */
const EDGE_PX = 4;
/** Of bold sans-serif text at the most, about: libvips does not tell how wide it will draw. */
const CHARACTER_WIDTH_PX = 9;

function drawing(line: DetectionLine, width: number, height: number): string {
  const scale = width / line.width;
  const labels: Box[] = [];
  const faces = line.faces.map((face) => drawFace(face, scale, { width, height }, labels)).join('');
  const title = lineTitle(basename(line.file), line.timeMs).replace(/[<&]/g, '_');
  const stamp = `<text x="6" y="${height - 6}" font-size="14" fill="#fff" stroke="#000" stroke-width="3" paint-order="stroke">${title}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif">${faces}${stamp}</svg>`;
}

/** `labels`: where those of other faces are; this one's is added. */
function drawFace(
  face: DetectedFace,
  scale: number,
  picture: { readonly width: number; readonly height: number },
  labels: Box[],
): string {
  const colour = COLOURS[face.outcome];
  const { x, y, width, height } = scaleBox(face.box, scale);
  const share = face.outcome === 'not_assessable' ? '' : ` ${Math.round(face.scores[face.outcome] * 100)}`;
  const track = face.trackId === undefined ? '' : `#${face.trackId} `;
  const text = `${track}${WORDS[face.outcome]}${share}${face.reason ? ` ${face.reason.replace('_', ' ')}` : ''}`;
  const label = placeLabel({ x, y, width, height }, text.length * CHARACTER_WIDTH_PX, picture, labels);
  labels.push(label);
  return (
    `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="none" stroke="${colour}" stroke-width="2"/>` +
    `<text x="${label.x.toFixed(1)}" y="${(label.y + label.height - 4).toFixed(1)}" font-size="${FONT_PX}" font-weight="bold" fill="${colour}" stroke="#000" stroke-width="3" paint-order="stroke">${text}</text>`
  );
}

/** Above the face, below it, or inside: the first place that no other label takes; within the picture. */
export function placeLabel(
  face: Box,
  width: number,
  picture: { readonly width: number; readonly height: number },
  others: readonly Box[],
): Box {
  const height = FONT_PX + 4;
  const x = Math.max(EDGE_PX, Math.min(face.x, picture.width - width - EDGE_PX));
  const places = [face.y - height, face.y + face.height, face.y].map((y) => ({
    ...{ x, width, height },
    y: Math.max(0, Math.min(y, picture.height - height)),
  }));
  return places.find((place) => others.every((other) => iou(place, other) === 0)) ?? places[0]!;
}

/** JPEG of many annotated pictures side by side, in the order given. */
export async function contactSheet(
  pictures: readonly Buffer[],
  columns = 4,
  cellWidthPx = 420,
): Promise<Buffer> {
  const cells = await Promise.all(
    pictures.map((picture) =>
      sharp(picture).resize({ width: cellWidthPx }).toBuffer({ resolveWithObject: true }),
    ),
  );
  const rows = Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) =>
    cells.slice(row * columns, (row + 1) * columns),
  );
  let top = 0;
  const tiles: OverlayOptions[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries())
      tiles.push({ input: cell.data, left: column * cellWidthPx, top });
    top += Math.max(...row.map(({ info }) => info.height));
  }
  const width = Math.min(columns, cells.length) * cellWidthPx;
  return await sharp({ create: { width, height: top, channels: 3, background: '#10161d' } })
    .composite(tiles)
    .jpeg({ quality: 80 })
    .toBuffer();
}
