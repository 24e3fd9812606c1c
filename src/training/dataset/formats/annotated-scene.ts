import { access } from 'node:fs/promises';
import { relative } from 'node:path';
import sharp from 'sharp';
import type { Box } from '../../../domain/box.js';
import { AppError } from '../../../lib/errors.js';
import type { LabelMap, LabelMeaning } from '../label-names.js';
import { datasetName, type LabelledFace, type ScenePicture } from '../picture.js';
import { isMostlyInside } from '../regions.js';
import { displayedBox, type PictureSize, storedOrientation } from './orientation.js';

/** Something in a data set that was left out, and why. */
export interface DataProblem {
  readonly kind:
    | 'picture_missing'
    | 'picture_unreadable'
    | 'picture_twice'
    | 'size_differs'
    | 'not_annotated'
    | 'box_broken';
  /** The picture or the annotation file. */
  readonly path: string;
  readonly message: string;
}

export interface ReadingOptions {
  /** Meanings of label names that the built-in table does not know, or knows otherwise. */
  readonly labelMap?: LabelMap;
  /** Told of everything that is left out. */
  readonly onProblem?: (problem: DataProblem) => void;
}

export interface AnnotatedBox {
  readonly box: Box;
  readonly meaning: LabelMeaning;
  /** Where it stands, for messages: `line 3`. */
  readonly source: string;
}

/** A picture as an annotation file describes it, before anybody has looked whether that is so. */
export interface AnnotatedScene {
  /** Absolute. */
  readonly path: string;
  /** As the annotation says; `null` where the format has none or leaves it out. */
  readonly size: PictureSize | null;
  /** In pixels of `size`; in shares of the picture where `isRelative`. */
  readonly boxes: readonly AnnotatedBox[];
}

export interface SceneFormat {
  /** For messages: `COCO`. */
  readonly name: string;
  /** Boxes are shares of the picture's width and height. */
  readonly isRelative: boolean;
  /** Which way up the boxes are when an orientation tag leaves it open. */
  readonly boxesIn: 'stored' | 'displayed';
  /** Boxes are in pixels of the picture even where the size given beside them is another. */
  readonly isSizeIdle?: boolean;
}

/** Pictures whose headers are read at once. */
const CONCURRENCY = 8;

/**
 * Holds annotations against the pictures. Pictures that are missing, unreadable, of another size than annotated or
 * annotated twice, and boxes that are empty or lie mostly outside, are left out and told to `onProblem`, in the order of
 * `scenes`. Boxes come out in pixels of the picture as it is displayed, that is with its orientation tag applied, as
 * `readRgbPicture` reads it. Throws `AppError` DATA_NOT_FOUND when no
 * picture of a data set is there.
 */
export async function completeScenes(
  root: string,
  scenes: readonly AnnotatedScene[],
  format: SceneFormat,
  onProblem: (problem: DataProblem) => void = () => {},
): Promise<ScenePicture[]> {
  const dataset = datasetName(root);
  const results: (ScenePicture | null)[] = new Array(scenes.length).fill(null);
  // Pictures are looked at several at a time and end in any order.
  const problems: DataProblem[][] = scenes.map(() => []);
  const seen = new Set<string>();
  let missing = 0;
  let next = 0;
  const complete = async (index: number) => {
    const scene = scenes[index]!;
    const { path } = scene;
    const tell = (kind: DataProblem['kind'], message: string) =>
      problems[index]!.push({ kind, path, message });
    if (seen.has(path)) {
      tell('picture_twice', 'is annotated twice; the first counts');
      return;
    }
    seen.add(path);
    const header = await readHeader(path);
    if (typeof header === 'string') {
      if (header === 'picture_missing') missing++;
      const message = header === 'picture_missing' ? 'is annotated but not there' : 'is no picture';
      tell(header, message);
      return;
    }
    const turnFor = (size: PictureSize | null) =>
      storedOrientation(header.stored, header.orientation, size, format);
    let turn = turnFor(scene.size);
    if (turn === null) {
      const { width, height } = scene.size!;
      const sizes = `is ${header.stored.width} × ${header.stored.height}, but annotated as ${width} × ${height}`;
      const outcome = format.isSizeIdle ? 'its boxes are taken as they are' : 'it is left out';
      tell('size_differs', `${sizes}; ${outcome}`);
      if (!format.isSizeIdle) return;
      turn = turnFor(null)!;
    }
    const faces: LabelledFace[] = [];
    const unclassified: Box[] = [];
    const ignored: Box[] = [];
    const given = turn.annotated;
    const toPixels = format.isRelative ? given : { width: 1, height: 1 };
    for (const { box: annotated, meaning, source } of scene.boxes) {
      const box = {
        x: annotated.x * toPixels.width,
        y: annotated.y * toPixels.height,
        width: annotated.width * toPixels.width,
        height: annotated.height * toPixels.height,
      };
      const problem = boxProblem(box, given);
      if (problem) {
        tell('box_broken', `${source}: ${problem}`);
        continue;
      }
      const displayed = displayedBox(box, given, turn.orientation);
      if (meaning === 'unclassified') unclassified.push(displayed);
      else if (meaning === 'ignore') ignored.push(displayed);
      else if (meaning !== 'skip') faces.push({ box: displayed, label: meaning });
    }
    results[index] = {
      kind: 'scene',
      path,
      dataset,
      id: `${dataset}/${relative(root, path).replaceAll('\\', '/')}`,
      ...turn.displayed,
      faces,
      unclassified,
      ignored,
      notFaces: [],
    };
  };
  const work = async () => {
    for (let index = next++; index < scenes.length; index = next++) await complete(index);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  for (const problem of problems.flat()) onProblem(problem);
  if (missing > 0 && missing === scenes.length)
    throw new AppError(
      'DATA_NOT_FOUND',
      `${root}: none of the ${missing} annotated pictures is there (${format.name}), e.g. ${scenes[0]!.path}`,
      { path: root, hint: 'are the pictures unpacked beside their annotations?', exitCode: 2 },
    );
  return results.filter((scene) => scene !== null);
}

async function readHeader(
  path: string,
): Promise<
  { stored: PictureSize; orientation: number | undefined } | 'picture_missing' | 'picture_unreadable'
> {
  try {
    await access(path);
  } catch {
    return 'picture_missing';
  }
  try {
    const { width, height, orientation } = await sharp(path).metadata();
    return { stored: { width, height }, orientation };
  } catch {
    return 'picture_unreadable';
  }
}

function boxProblem(box: Box, { width, height }: PictureSize): string | null {
  const { x, y, width: boxWidth, height: boxHeight } = box;
  const shown = `${[x, y, boxWidth, boxHeight].map((value) => Math.round(value * 10) / 10).join(', ')}`;
  if (![x, y, boxWidth, boxHeight].every(Number.isFinite)) return `the box ${shown} is not made of numbers`;
  if (boxWidth <= 0 || boxHeight <= 0) return `the box ${shown} has no area`;
  if (!isMostlyInside(box, { x: 0, y: 0, width, height }))
    return `the box ${shown} lies outside the picture (${width} × ${height})`;
  return null;
}
