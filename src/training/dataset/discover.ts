import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { datasetName, type LabelledPicture, type PortraitPicture } from './picture.js';
import { ANNOTATIONS_FILE, readScenes } from './scene-annotations.js';

const PICTURE_EXTENSIONS = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.avif',
  '.bmp',
  '.gif',
  '.tif',
  '.tiff',
]);
const MAX_DEPTH = 5;

/**
 * Finds every data set in `directory`: folders with `annotations.jsonl` (scenes) and folders whose subfolders
 * are named by labels (one person a picture). The order is that of the names, so it does not depend on the
 * file system. Throws `AppError` DATA_NOT_FOUND when the folder is missing or holds no data set.
 */
export async function discoverPictures(directory: string): Promise<LabelledPicture[]> {
  const root = resolve(directory);
  const found: LabelledPicture[] = [];
  await walk(root, 0, found);
  if (found.length === 0)
    throw new AppError('DATA_NOT_FOUND', `${directory}: no labelled pictures found`, {
      path: directory,
      hint: `expected ${ANNOTATIONS_FILE} beside the pictures, or folders named ${MASK_LABELS.join(', ')}`,
      exitCode: 2,
    });
  return found;
}

/** All pictures below `directory`, as absolute paths, sorted. */
export async function listPictures(directory: string): Promise<string[]> {
  const entries = await readDirectory(directory);
  const paths: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) paths.push(...(await listPictures(path)));
    else if (PICTURE_EXTENSIONS.has(extname(entry.name).toLowerCase())) paths.push(path);
  }
  return paths;
}

/** The pictures of one folder of labels; empty when it has no folder named by a label. */
export async function readLabelFolders(directory: string): Promise<PortraitPicture[]> {
  const dataset = datasetName(resolve(directory));
  const names = new Set((await readDirectory(directory)).filter((e) => e.isDirectory()).map((e) => e.name));
  const pictures: PortraitPicture[] = [];
  for (const label of MASK_LABELS) {
    if (!names.has(label)) continue;
    const folder = join(directory, label);
    for (const path of await listPictures(folder))
      pictures.push({
        kind: 'portrait',
        path,
        dataset,
        id: `${dataset}/${label}/${path.slice(folder.length + 1).replaceAll('\\', '/')}`,
        label,
      });
  }
  return pictures;
}

async function walk(directory: string, depth: number, found: LabelledPicture[]): Promise<void> {
  const entries = await readDirectory(directory);
  if (entries.some((entry) => entry.name === ANNOTATIONS_FILE)) {
    found.push(...(await readScenes(directory)));
    return;
  }
  const portraits = await readLabelFolders(directory);
  if (portraits.length > 0) {
    found.push(...portraits);
    return;
  }
  if (depth === MAX_DEPTH) return;
  for (const entry of entries)
    if (entry.isDirectory()) await walk(join(directory, entry.name), depth + 1, found);
}

async function readDirectory(directory: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new AppError('DATA_NOT_FOUND', `${directory} cannot be read as a folder`, {
      cause,
      path: directory,
      exitCode: 2,
    });
  }
}
