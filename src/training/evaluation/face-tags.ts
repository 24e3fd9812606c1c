import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../lib/errors.js';
import { isSameBox } from '../dataset/corrections.js';
import { fileInDataset } from '../dataset/picture.js';
import type { FaceRecord } from './judge-pictures.js';

const lineSchema = z.strictObject({
  dataset: z.string().min(1),
  file: z.string().min(1),
  box: z
    .strictObject({
      x: z.number(),
      y: z.number(),
      width: z.number().positive(),
      height: z.number().positive(),
    })
    .optional(),
  tags: z.array(z.string().trim().min(1)).min(1),
});
type TagLine = z.infer<typeof lineSchema>;

/** What became of the lines of a tags file. */
export interface TagsReport {
  readonly lines: number;
  /** Lines that fit none of the judged faces: other pictures, or another box. */
  readonly unfit: number;
}

/** What people said of labelled faces that no program can measure, e.g. `hand` or `hair` before the mouth. */
export class FaceTags {
  static readonly none = new FaceTags([]);
  readonly #byFile = new Map<string, TagLine[]>();
  readonly #lines: readonly TagLine[];

  constructor(lines: readonly TagLine[]) {
    this.#lines = lines;
    for (const line of lines) {
      const key = fileKey(line.dataset, line.file);
      const list = this.#byFile.get(key);
      if (list) list.push(line);
      else this.#byFile.set(key, [line]);
    }
  }

  /** The tags of a face, each once; in a scene those of its labelled box, else those of the picture. */
  of(face: Pick<FaceRecord, 'picture' | 'labelledBox'>): readonly string[] {
    return [...new Set(this.#linesOf(face).flatMap(({ tags }) => tags))];
  }

  report(faces: readonly Pick<FaceRecord, 'picture' | 'labelledBox'>[]): TagsReport {
    const fitting = new Set(faces.flatMap((face) => this.#linesOf(face)));
    return { lines: this.#lines.length, unfit: this.#lines.length - fitting.size };
  }

  #linesOf({ picture, labelledBox }: Pick<FaceRecord, 'picture' | 'labelledBox'>): readonly TagLine[] {
    const named = this.#byFile.get(fileKey(picture.dataset, fileInDataset(picture))) ?? [];
    if (picture.kind === 'portrait') return named.filter(({ box }) => !box);
    return named.filter(({ box }) => box && isSameBox(box, labelledBox));
  }
}

/** A data set may be named with the folder above it or without. */
function fileKey(dataset: string, file: string): string {
  return `${dataset.split('/').at(-1)}\n${file}`;
}

/**
 * Reads a tags file: one JSON object a line, `{dataset, file, box?, tags: []}`, where `box` (pixels) is the labelled
 * one of a face in a scene; see docs/evaluation.md. Empty lines are skipped. Throws `AppError` DATA_NOT_FOUND, or
 * TAGS_INVALID naming the line that breaks the form.
 */
export async function readFaceTags(path: string): Promise<FaceTags> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
  }
  return new FaceTags(
    text
      .split(/\r?\n/)
      .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, `${path}, line ${index + 1}`)])),
  );
}

function parseLine(text: string, source: string): TagLine {
  const invalid = (problem: string, cause: unknown) =>
    new AppError('TAGS_INVALID', `${source}: ${problem}`, {
      cause,
      path: source,
      hint: 'expected {"dataset", "file", "box"?: {"x", "y", "width", "height"}, "tags": ["hand"]}',
      exitCode: 2,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid('is not JSON', cause);
  }
  const parsed = lineSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalid(`${issue.path.join('.') || '(line)'}: ${issue.message}`, parsed.error);
}
