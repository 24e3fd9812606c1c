import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../lib/errors.js';
import { meaningsOf } from '../label-names.js';
import type { ScenePicture } from '../picture.js';
import {
  type AnnotatedBox,
  type AnnotatedScene,
  completeScenes,
  type ReadingOptions,
} from './annotated-scene.js';
import { firstFile } from './find-picture.js';

const id = z.union([z.number(), z.string()]);
const cocoSchema = z.object({
  images: z.array(
    z.object({
      id,
      file_name: z.string().min(1),
      width: z.number().nonnegative().nullish(),
      height: z.number().nonnegative().nullish(),
    }),
  ),
  categories: z.array(z.object({ id, name: z.string() })),
  annotations: z.array(
    z.object({
      id: id.optional(),
      image_id: id,
      category_id: id,
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      iscrowd: z.union([z.number(), z.boolean()]).nullish(),
    }),
  ),
});

/** The COCO files of a folder: beside the pictures, or in its `annotations`. */
export async function findCocoFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of [root, join(root, 'annotations')]) {
    const names = await readdir(folder).catch((): string[] => []);
    for (const name of names.sort()) {
      if (!name.toLowerCase().endsWith('.json')) continue;
      const path = join(folder, name);
      const text = await readFile(path, 'utf8').catch(() => '');
      if (['"images"', '"annotations"', '"categories"'].every((key) => text.includes(key))) found.push(path);
    }
  }
  return found;
}

/**
 * Reads object annotations in COCO's form (`images`, `annotations` with `bbox` [x, y, width, height] in pixels,
 * `categories`). Pictures are looked for beside the file, in the data set's folder, in its `images` and in the folder
 * after which an `instances_NAME.json` is called. `iscrowd` boxes are ignored regions. Every picture listed counts as
 * looked at. Throws `AppError` DATA_INVALID, DATA_LABEL_UNKNOWN, DATA_NOT_FOUND.
 */
export async function readCoco(
  root: string,
  files: readonly string[],
  options: ReadingOptions = {},
): Promise<ScenePicture[]> {
  const scenes: AnnotatedScene[] = [];
  for (const path of files) scenes.push(...(await readCocoFile(root, path, options)));
  return completeScenes(
    root,
    scenes,
    { name: 'COCO', isRelative: false, boxesIn: 'displayed' },
    options.onProblem,
  );
}

async function readCocoFile(
  root: string,
  path: string,
  { labelMap }: ReadingOptions,
): Promise<AnnotatedScene[]> {
  const coco = await parse(path);
  const names = new Map(coco.categories.map(({ id, name }) => [String(id), name]));
  const counts = new Map<string, number>();
  const byImage = new Map<string, { name: string; annotation: (typeof coco.annotations)[number] }[]>();
  const images = new Set(coco.images.map(({ id }) => String(id)));
  for (const [index, annotation] of coco.annotations.entries()) {
    const name = names.get(String(annotation.category_id));
    if (name === undefined)
      throw invalid(path, `annotations.${index}: there is no category ${annotation.category_id}`);
    if (!images.has(String(annotation.image_id)))
      throw invalid(path, `annotations.${index}: there is no image ${annotation.image_id}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const list = byImage.get(String(annotation.image_id)) ?? [];
    byImage.set(String(annotation.image_id), list);
    list.push({ name, annotation });
  }
  const meanings = meaningsOf(counts, path, labelMap);
  const split = basename(path, '.json').replace(/^instances_|^_?annotations\.?/, '');
  const folders = [dirname(path), root, join(root, 'images')];
  if (split !== '') folders.push(join(root, split), join(root, 'images', split));
  const scenes: AnnotatedScene[] = [];
  for (const image of coco.images) {
    const boxes = (byImage.get(String(image.id)) ?? []).map(({ name, annotation }): AnnotatedBox => {
      const [x, y, width, height] = annotation.bbox;
      return {
        box: { x, y, width, height },
        meaning: annotation.iscrowd ? 'ignore' : meanings.get(name)!,
        source: `${basename(path)}, annotation ${annotation.id ?? '(no id)'}`,
      };
    });
    const { width, height } = image;
    scenes.push({
      path: await firstFile(folders.map((folder) => join(folder, image.file_name))),
      size: width && height ? { width, height } : null,
      boxes,
    });
  }
  return scenes;
}

async function parse(path: string): Promise<z.infer<typeof cocoSchema>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw invalid(path, 'is not JSON', cause);
  }
  const parsed = cocoSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalid(path, `${issue.path.join('.')}: ${issue.message}`, parsed.error);
}

function invalid(path: string, problem: string, cause?: unknown): AppError {
  return new AppError('DATA_INVALID', `${path}: ${problem}`, {
    cause,
    path,
    hint: 'expected COCO: {"images": [], "annotations": [], "categories": []}',
    exitCode: 2,
  });
}
