import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '../../src/domain/box.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { readRgbPicture, toSharp } from '../../src/training/dataset/rgb-picture.js';
import { DetectorSession } from '../../src/training/detector/detector-session.js';
import { withRoom } from '../../src/training/faceless/clear-region.js';
import type { FacelessPlan } from '../../src/training/faceless/faceless-picture.js';
import { SheetWriter } from './sheets.js';

const LOOK = { model: 'yunet-n', sizesPx: [640, 1280], score: 0.2 };
/** Context around a doubtful place, as a share of its longer side. */
const ROOM = 0.8;
const WHOLE = { name: 'set', columns: 5, rows: 4, cellPx: 300 };
const CLOSE = { name: 'doubts', columns: 10, rows: 8, cellPx: 118 };

/**
 * For eyes: every finished picture, and close-ups of every place in it that a careless detector takes for a face. The
 * places are also written to `doubts.jsonl`, in pixels of the source, to be copied to the list of exclusions.
 */
export class LookSheets {
  readonly #session: DetectorSession;
  readonly #folder: string;
  readonly #whole: SheetWriter;
  readonly #close: SheetWriter;
  readonly #lines: string[] = [];

  private constructor(folder: string, session: DetectorSession, whole: SheetWriter, close: SheetWriter) {
    this.#folder = folder;
    this.#session = session;
    this.#whole = whole;
    this.#close = close;
  }

  /** Creates the folder when it is missing. */
  static async open(folder: string): Promise<LookSheets> {
    return new LookSheets(
      folder,
      await DetectorSession.open(join(modelsDir(), LOOK.model, 'model.onnx')),
      await SheetWriter.open(folder, WHOLE),
      await SheetWriter.open(folder, CLOSE),
    );
  }

  /** `number`: the picture's, for the captions; a place is called `NUMBER.PLACE`. */
  async add(number: number, { kind, source, region }: FacelessPlan, jpeg: Buffer): Promise<void> {
    await this.#whole.add(`${number} ${kind}`, jpeg);
    const picture = await readRgbPicture(jpeg);
    const shown: Box[] = [];
    for (const sizePx of LOOK.sizesPx)
      for (const { box, score } of await this.#session.find(picture, sizePx, LOOK.score)) {
        const isShown = (other: Box) => Math.hypot(other.x - box.x, other.y - box.y) < box.width / 2;
        if (shown.some(isShown)) continue;
        shown.push(box);
        const { x, y, width, height } = withRoom(box, ROOM);
        const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
        const cut = {
          ...{ left, top },
          width: Math.min(picture.width, Math.ceil(x + width)) - left,
          height: Math.min(picture.height, Math.ceil(y + height)) - top,
        };
        const name = `${number}.${shown.length}`;
        const inSource = { ...box, x: box.x + region.x, y: box.y + region.y };
        this.#lines.push(`${JSON.stringify({ name, hash: source.hash, region: inSource, score })}\n`);
        const close = await toSharp(picture).extract(cut).png().toBuffer();
        await this.#close.add(`${name} ${score.toFixed(2)}`, close);
      }
  }

  async finish(): Promise<void> {
    await this.#session.close();
    await this.#whole.finish();
    await this.#close.finish();
    await writeFile(join(this.#folder, 'doubts.jsonl'), this.#lines.join(''));
  }
}
