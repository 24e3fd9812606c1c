import { type Browser, chromium, type Page } from 'playwright-core';
import type { Box } from '../../src/domain/box.js';
import type { Outcome } from '../../src/domain/label.js';
import { OUTCOME_COLOURS } from '../../web/src/words.js';
import { decodePicture, type RawPicture } from './footage-truth.js';

/** Debian's package. */
export const CHROMIUM_PATH = '/usr/bin/chromium';

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/** What a tile of the page shows at one moment: the pixels of its canvas, and the boxes that it says it drew. */
export interface ShownFrame {
  readonly frameId: number;
  /** In pixels of the source frame. */
  readonly faces: readonly { readonly box: Box; readonly outcome: Outcome }[];
  readonly picture: RawPicture;
}

/** Number of the frame that a tile shows; -1 before its first. */
export function shownFrameId(page: Page, cameraId: string): Promise<number> {
  return page.evaluate((id) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`[data-camera="${id}"] canvas`);
    return Number(canvas?.dataset.frameId ?? -1);
  }, cameraId);
}

/** Resolves when a tile shows a frame after `frameId`. */
export async function waitForFrameAfter(page: Page, cameraId: string, frameId: number): Promise<void> {
  await page.waitForFunction(
    ({ id, after }) => {
      const canvas = document.querySelector<HTMLCanvasElement>(`[data-camera="${id}"] canvas`);
      return Number(canvas?.dataset.frameId ?? -1) > after;
    },
    { id: cameraId, after: frameId },
  );
}

/** Reads a tile's canvas; `null` before its first frame. Pixels and boxes are of one moment. */
export async function readTile(page: Page, cameraId: string): Promise<ShownFrame | null> {
  const shown = await page.evaluate((id) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`[data-camera="${id}"] canvas`);
    if (!canvas?.dataset.frameId) return null;
    const { frameId, faces = '[]' } = canvas.dataset;
    return { frameId, faces, png: canvas.toDataURL('image/png') };
  }, cameraId);
  if (!shown) return null;
  return {
    frameId: Number(shown.frameId),
    faces: JSON.parse(shown.faces),
    picture: await decodePicture(Buffer.from(shown.png.slice(shown.png.indexOf(',') + 1), 'base64')),
  };
}

/** The next `count` frames that a tile shows, each once. */
export async function readFrames(page: Page, cameraId: string, count: number): Promise<ShownFrame[]> {
  const frames: ShownFrame[] = [];
  while (frames.length < count) {
    await waitForFrameAfter(page, cameraId, frames.at(-1)?.frameId ?? -1);
    const frame = await readTile(page, cameraId);
    if (frame) frames.push(frame);
  }
  return frames;
}

/** How far from where it should be a line is looked for, canvas pixels. */
const SEARCH_PX = 14;
/** Difference of colour at which a pixel is no part of a line any more, sum over the channels. */
const COLOUR_REACH = 110;

/**
 * Finds the box that was drawn for a face by the colour of its lines, near where it ought to be. In pixels of the
 * source frame, whose size is `frameWidth` × `frameHeight`; `null` when a side of it is not there.
 */
export function drawnBox(
  { picture, faces }: ShownFrame,
  face: ShownFrame['faces'][number],
  frame: { readonly width: number; readonly height: number },
): Box | null {
  if (!faces.includes(face)) return null;
  const scale = Math.min(picture.width / frame.width, picture.height / frame.height);
  const left = (picture.width - frame.width * scale) / 2;
  const top = (picture.height - frame.height * scale) / 2;
  const colour = rgbOf(OUTCOME_COLOURS[face.outcome]);
  const x = left + face.box.x * scale;
  const y = top + face.box.y * scale;
  const width = face.box.width * scale;
  const height = face.box.height * scale;
  const rows = { from: y + 0.25 * height, to: y + 0.85 * height };
  const columns = { from: x + 0.2 * width, to: x + 0.8 * width };
  // Never as far as the opposite line.
  const reach = Math.min(SEARCH_PX, width / 3, height / 3);
  const leftLine = line(picture, colour, 'column', { at: x, reach }, rows);
  const rightLine = line(picture, colour, 'column', { at: x + width, reach }, rows);
  const bottomLine = line(picture, colour, 'row', { at: y + height, reach }, columns);
  if (leftLine === null || rightLine === null || bottomLine === null) return null;
  // The label's filled strip joins the top line, or covers it: the sides' upper ends are the box's.
  const topLine = upperEnd(picture, colour, leftLine, y, reach);
  if (topLine === null) return null;
  return {
    x: (leftLine - left) / scale,
    y: (topLine - top) / scale,
    width: (rightLine - leftLine) / scale,
    height: (bottomLine - topLine) / scale,
  };
}

type Rgb = readonly [number, number, number];

function rgbOf(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** 1 for a pixel of just this colour, 0 for one of another. */
function likeness({ data, width, height, channels }: RawPicture, x: number, y: number, colour: Rgb): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  const at = (y * width + x) * channels;
  const away =
    Math.abs(data[at]! - colour[0]) +
    Math.abs(data[at + 1]! - colour[1]) +
    Math.abs(data[at + 2]! - colour[2]);
  return Math.max(0, 1 - away / COLOUR_REACH);
}

/** Middle of the line of `colour` nearest to `at`, in canvas pixels (edges, not pixel centres). */
function line(
  picture: RawPicture,
  colour: Rgb,
  direction: 'row' | 'column',
  { at, reach }: { at: number; reach: number },
  along: { from: number; to: number },
): number | null {
  const first = Math.floor(at - reach);
  const sums: number[] = [];
  for (let position = first; position <= at + reach; position++) {
    let sum = 0;
    for (let other = Math.round(along.from); other < along.to; other++)
      sum +=
        direction === 'column'
          ? likeness(picture, position, other, colour)
          : likeness(picture, other, position, colour);
    sums.push(sum);
  }
  const peak = Math.max(...sums);
  // A dashed line covers half of its way.
  if (peak < 0.3 * (along.to - along.from)) return null;
  const middle = sums.indexOf(peak);
  let weight = 0;
  let moment = 0;
  for (let i = Math.max(0, middle - 3); i <= Math.min(sums.length - 1, middle + 3); i++) {
    weight += sums[i]!;
    moment += sums[i]! * (first + i + 0.5);
  }
  return moment / weight;
}

/**
 * The top of a box is hidden under its label. Inside the box, beside its left line, the label's or top line's
 * colour ends where the picture begins: half a line's width below the top line's middle.
 */
function upperEnd(
  picture: RawPicture,
  colour: Rgb,
  leftLine: number,
  at: number,
  reach: number,
): number | null {
  const column = Math.round(leftLine) + 4;
  let last: number | null = null;
  for (let y = Math.floor(at - reach); y <= at + reach; y++)
    if (likeness(picture, column, y, colour) > 0.5) last = y;
  return last === null ? null : last + 1 - LINE_WIDTH_PX / 2;
}

const LINE_WIDTH_PX = 2;
