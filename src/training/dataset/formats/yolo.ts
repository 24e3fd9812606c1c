import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { AppError } from '../../../lib/errors.js';
import { meaningsOf } from '../label-names.js';
import type { ScenePicture } from '../picture.js';
import { type AnnotatedScene, completeScenes, type ReadingOptions } from './annotated-scene.js';
import { isPictureName, listFiles } from './find-picture.js';

const NAME_LISTS = ['classes.txt', 'obj.names', join('labels', 'classes.txt')];

const namesSchema = z.object({
  names: z.union([z.array(z.string()), z.record(z.string().regex(/^\d+$/), z.string())]),
});

/** The file of a YOLO data set that names its classes: `*.yaml` with `names`, or `classes.txt`; else `null`. */
export async function findYoloNames(root: string): Promise<string | null> {
  const names = (await readdir(root).catch((): string[] => [])).sort();
  for (const name of names) {
    if (!/\.ya?ml$/i.test(name)) continue;
    const text = await readFile(join(root, name), 'utf8').catch(() => '');
    if (/^\s*["']?names["']?\s*:/m.test(text)) return join(root, name);
  }
  for (const name of NAME_LISTS) {
    const path = join(root, name);
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return path;
  }
  return null;
}

/**
 * Reads a YOLO data set: all pictures below `root` that have a label file, `images/…/NAME.jpg` with
 * `labels/…/NAME.txt`, or beside it. A line is `class x-centre y-centre width height` in shares of the displayed
 * picture, or a polygon, whose enclosing box is taken. An empty label file says that there is no face; a picture
 * without one is left out and told to `onProblem`. Throws `AppError` DATA_INVALID, DATA_LABEL_UNKNOWN.
 */
export async function readYolo(
  root: string,
  namesFile: string,
  options: ReadingOptions = {},
): Promise<ScenePicture[]> {
  const names = await readNames(namesFile);
  const labelFiles = new Set(await listFiles(root, (name) => name.endsWith('.txt')));
  const counts = new Map<string, number>();
  const labelled: { path: string; rows: Row[] }[] = [];
  for (const path of await listFiles(root, isPictureName)) {
    const labelPath = labelPathOf(root, path);
    if (!labelFiles.has(labelPath)) {
      const message = `has no label file ${relative(root, labelPath)}`;
      options.onProblem?.({ kind: 'not_annotated', path, message });
      continue;
    }
    const rows = parseRows(await readFile(labelPath, 'utf8'), labelPath);
    for (const { classIndex, source } of rows) {
      const name = names[classIndex];
      if (name === undefined)
        throw invalid(`${source}: class ${classIndex} has no name in ${namesFile}`, labelPath);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    labelled.push({ path, rows });
  }
  const meanings = meaningsOf(counts, namesFile, options.labelMap);
  const scenes = labelled.map(
    ({ path, rows }): AnnotatedScene => ({
      path,
      size: null,
      boxes: rows.map(({ classIndex, box, source }) => ({
        box,
        source,
        meaning: meanings.get(names[classIndex]!)!,
      })),
    }),
  );
  return completeScenes(
    root,
    scenes,
    { name: 'YOLO', isRelative: true, boxesIn: 'displayed' },
    options.onProblem,
  );
}

interface Row {
  readonly classIndex: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly source: string;
}

function parseRows(text: string, path: string): Row[] {
  return text.split(/\r?\n/).flatMap((line, index): Row[] => {
    if (line.trim() === '') return [];
    const source = `${path}, line ${index + 1}`;
    const numbers = line.trim().split(/\s+/).map(Number);
    const [classIndex, ...values] = numbers;
    if (!numbers.every(Number.isFinite) || !Number.isInteger(classIndex) || classIndex! < 0)
      throw invalid(`${source}: expected "class x y width height", all numbers`, path);
    if (values.length === 4) {
      const [x, y, width, height] = values as [number, number, number, number];
      return [
        { classIndex: classIndex!, source, box: { x: x - width / 2, y: y - height / 2, width, height } },
      ];
    }
    if (values.length < 6 || values.length % 2 !== 0)
      throw invalid(`${source}: has ${numbers.length} numbers; a box has 5, a polygon 7 or more`, path);
    const xs = values.filter((_, at) => at % 2 === 0);
    const ys = values.filter((_, at) => at % 2 === 1);
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return [
      {
        classIndex: classIndex!,
        source,
        box: { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y },
      },
    ];
  });
}

/** The last folder `images` on the way becomes `labels`; without one the label file is beside the picture. */
function labelPathOf(root: string, path: string): string {
  const parts = relative(root, path).split(sep);
  const at = parts.lastIndexOf('images');
  if (at >= 0) parts[at] = 'labels';
  const labels = join(root, ...parts);
  return `${labels.slice(0, labels.length - extname(labels).length)}.txt`;
}

async function readNames(path: string): Promise<readonly (string | undefined)[]> {
  const text = await readFile(path, 'utf8');
  if (!/\.ya?ml$/i.test(path))
    return text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '');
  let yaml: unknown;
  try {
    yaml = parseYaml(text);
  } catch (cause) {
    throw invalid(`${path} is not YAML`, path, cause);
  }
  const parsed = namesSchema.safeParse(yaml);
  if (!parsed.success)
    throw invalid(`${path}: names must be a list, or numbers with names`, path, parsed.error);
  const { names } = parsed.data;
  if (Array.isArray(names)) return names;
  const list: (string | undefined)[] = [];
  for (const [index, name] of Object.entries(names)) list[Number(index)] = name;
  return list;
}

function invalid(message: string, path: string, cause?: unknown): AppError {
  return new AppError('DATA_INVALID', message, { cause, path, exitCode: 2 });
}
