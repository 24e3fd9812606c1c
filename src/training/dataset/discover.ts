import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import type { ReadingOptions } from './formats/annotated-scene.js';
import { findCocoFiles, readCoco } from './formats/coco.js';
import { isPictureName } from './formats/find-picture.js';
import { findVocFiles, readVoc } from './formats/voc.js';
import { findYoloNames, readYolo } from './formats/yolo.js';
import { mappedMeaning, meaningOf } from './label-names.js';
import { datasetName, type LabelledPicture, type PortraitPicture } from './picture.js';
import { ANNOTATIONS_FILE, readScenes } from './scene-annotations.js';

export type { DataProblem, ReadingOptions } from './formats/annotated-scene.js';

const MAX_DEPTH = 5;

/**
 * Finds every data set in `directory`, by its form: `annotations.jsonl`, YOLO (a `data.yaml` or `classes.txt`), COCO
 * (JSON), Pascal VOC (XML), or folders named by labels with pictures of one person each; docs/training-data.md tells
 * what each looks like. The order is that of the names, so it does not depend on the file system. What is left out
 * (missing pictures, broken boxes) is told to `options.onProblem`. Throws `AppError` DATA_NOT_FOUND when the folder is
 * missing, holds no data set or none of its pictures; DATA_INVALID; DATA_LABEL_UNKNOWN.
 */
export async function discoverPictures(
  directory: string,
  options: ReadingOptions = {},
): Promise<LabelledPicture[]> {
  const root = resolve(directory);
  const found: LabelledPicture[] = [];
  await walk(root, 0, found, options);
  if (found.length === 0)
    throw new AppError('DATA_NOT_FOUND', `${directory}: no labelled pictures found`, {
      path: directory,
      hint: `expected ${ANNOTATIONS_FILE}, COCO, YOLO or Pascal VOC annotations, or folders named ${MASK_LABELS.join(', ')}`,
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
    else if (isPictureName(entry.name)) paths.push(path);
  }
  return paths;
}

/**
 * The pictures of one folder of labels; empty when it has no folder named by a label. Folders named otherwise count
 * when the label map names them, or when two or more have names that are known: one called `mask` alone may well hold
 * something else.
 */
export async function readLabelFolders(
  directory: string,
  { labelMap = {} }: ReadingOptions = {},
): Promise<PortraitPicture[]> {
  const dataset = datasetName(resolve(directory));
  const isLabel = (name: string | undefined): name is MaskLabel =>
    (MASK_LABELS as readonly (string | undefined)[]).includes(name);
  const folders = (await readDirectory(directory)).flatMap((entry) => {
    const label = entry.isDirectory() ? meaningOf(entry.name, labelMap) : undefined;
    return isLabel(label) ? [{ name: entry.name, label }] : [];
  });
  const isSure = folders.some(
    ({ name, label }) => name === label || mappedMeaning(name, labelMap) !== undefined,
  );
  if (!isSure && new Set(folders.map(({ label }) => label)).size < 2) return [];
  const pictures: PortraitPicture[] = [];
  for (const label of MASK_LABELS)
    for (const { name } of folders.filter((folder) => folder.label === label)) {
      const folder = join(directory, name);
      for (const path of await listPictures(folder))
        pictures.push({
          kind: 'portrait',
          path,
          dataset,
          id: `${dataset}/${name}/${path.slice(folder.length + 1).replaceAll('\\', '/')}`,
          label,
        });
    }
  return pictures;
}

async function walk(
  directory: string,
  depth: number,
  found: LabelledPicture[],
  options: ReadingOptions,
): Promise<void> {
  const entries = await readDirectory(directory);
  const names = entries.map(({ name }) => name);
  const pictures = await readDataSet(directory, names, options);
  if (pictures.length > 0) {
    // One by one: a data set may have more pictures than a call may have arguments.
    for (const picture of pictures) found.push(picture);
    return;
  }
  if (depth === MAX_DEPTH) return;
  for (const entry of entries)
    if (entry.isDirectory()) await walk(join(directory, entry.name), depth + 1, found, options);
}

/** The data set of which `directory` is the root; empty when it is none. */
async function readDataSet(
  directory: string,
  names: readonly string[],
  options: ReadingOptions,
): Promise<readonly LabelledPicture[]> {
  if (names.includes(ANNOTATIONS_FILE)) return readScenes(directory, options);
  const yoloNames = await findYoloNames(directory);
  if (yoloNames !== null) return readYolo(directory, yoloNames, options);
  const cocoFiles = await findCocoFiles(directory);
  if (cocoFiles.length > 0) return readCoco(directory, cocoFiles, options);
  const vocFiles = await findVocFiles(directory, names);
  if (vocFiles.length > 0) return readVoc(directory, vocFiles, options);
  return readLabelFolders(directory, options);
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
