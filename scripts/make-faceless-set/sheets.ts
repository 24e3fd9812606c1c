import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const CAPTION_PX = 18;

export interface SheetForm {
  /** File names begin with it. */
  readonly name: string;
  readonly columns: number;
  readonly rows: number;
  readonly cellPx: number;
}

/** Pictures side by side with a caption each. PNG. */
export class SheetWriter {
  readonly #folder: string;
  readonly #form: SheetForm;
  #cells: Buffer[] = [];
  #written = 0;

  private constructor(folder: string, form: SheetForm) {
    this.#folder = folder;
    this.#form = form;
  }

  /** Creates the folder when it is missing. */
  static async open(folder: string, form: SheetForm): Promise<SheetWriter> {
    await mkdir(folder, { recursive: true });
    return new SheetWriter(folder, form);
  }

  async add(caption: string, picture: Buffer): Promise<void> {
    const { cellPx, columns, rows } = this.#form;
    const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${cellPx}" height="${CAPTION_PX}"><text x="4" y="13" font-family="sans-serif" font-size="13" fill="#ff0">${caption}</text></svg>`;
    const shown = await sharp(picture)
      .resize(cellPx, cellPx - CAPTION_PX, { fit: 'contain', position: 'top', background: '#222' })
      .png()
      .toBuffer();
    const cell = sharp({ create: { width: cellPx, height: cellPx, channels: 3, background: '#000' } });
    this.#cells.push(
      await cell
        .composite([
          { input: Buffer.from(text), left: 0, top: 0 },
          { input: shown, left: 0, top: CAPTION_PX },
        ])
        .png()
        .toBuffer(),
    );
    if (this.#cells.length === columns * rows) await this.finish();
  }

  /** Writes what has not filled a sheet. */
  async finish(): Promise<void> {
    if (this.#cells.length === 0) return;
    const { name, cellPx, columns, rows } = this.#form;
    const sheet = sharp({
      create: { width: columns * cellPx, height: rows * cellPx, channels: 3, background: '#000' },
    });
    const tiles = this.#cells.map((input, index) => ({
      input,
      left: (index % columns) * cellPx,
      top: Math.floor(index / columns) * cellPx,
    }));
    this.#written += 1;
    const file = `${name}-${String(this.#written).padStart(2, '0')}.png`;
    await writeFile(join(this.#folder, file), await sheet.composite(tiles).png().toBuffer());
    this.#cells = [];
  }
}
