import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { AppError } from '../../../lib/errors.js';
import { meaningsOf } from '../label-names.js';
import type { ScenePicture } from '../picture.js';
import { type AnnotatedScene, completeScenes, type ReadingOptions } from './annotated-scene.js';
import { groupBy, isPictureName, listFiles, nearestTo } from './find-picture.js';

const number = z
  .string()
  .regex(/^\s*[-+]?\d*\.?\d+(e[-+]?\d+)?\s*$/i, 'is no number')
  .transform(Number);
const annotationSchema = z.object({
  annotation: z.object({
    filename: z.string().optional(),
    size: z.object({ width: number, height: number }).optional(),
    object: z
      .array(
        z.object({
          name: z.string(),
          bndbox: z.object({ xmin: number, ymin: number, xmax: number, ymax: number }),
        }),
      )
      .default([]),
  }),
});
type VocAnnotation = z.infer<typeof annotationSchema>['annotation'];

/** Values stay text: a file called `00123` is not number 123. */
const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'object' });

/** The Pascal VOC files of a folder: in its `Annotations`, or beside the pictures. */
export async function findVocFiles(root: string, names: readonly string[]): Promise<string[]> {
  const beside = names.filter(isXmlName).map((name) => join(root, name));
  if (beside.length > 0) return beside;
  const folders = names.filter((name) => /^(annotations?|xmls?)$/i.test(name));
  const below = await Promise.all(folders.map((name) => listFiles(join(root, name), isXmlName)));
  return below.flat();
}

function isXmlName(name: string): boolean {
  return name.toLowerCase().endsWith('.xml');
}

/**
 * Reads annotations in Pascal VOC's form, one XML file a picture: `object` with `name` and `bndbox` (xmin, ymin, xmax,
 * ymax in pixels; width = xmax − xmin, as the annotation programs in use write it). The picture is the `filename`, or
 * what is called as the XML file is. Throws `AppError` DATA_INVALID, DATA_LABEL_UNKNOWN, DATA_NOT_FOUND.
 */
export async function readVoc(
  root: string,
  files: readonly string[],
  options: ReadingOptions = {},
): Promise<ScenePicture[]> {
  const read: { path: string; annotation: VocAnnotation }[] = [];
  const counts = new Map<string, number>();
  for (const path of files) {
    const annotation = await parse(path);
    for (const { name } of annotation.object) counts.set(name, (counts.get(name) ?? 0) + 1);
    read.push({ path, annotation });
  }
  const meanings = meaningsOf(counts, root, options.labelMap);
  const pictures = await listFiles(root, isPictureName);
  const byName = groupBy(pictures, (path) => basename(path));
  const byStem = groupBy(pictures, stemOf);
  const scenes = read.map(({ path, annotation }): AnnotatedScene => {
    const given = annotation.filename?.trim().replaceAll('\\', '/');
    const name = given ? basename(given) : `${stemOf(path)}.jpg`;
    const candidates = byName.get(name) ?? byStem.get(stemOf(name)) ?? byStem.get(stemOf(path)) ?? [];
    const { size } = annotation;
    return {
      path: nearestTo(path, candidates) ?? join(dirname(path), name),
      size: size && size.width > 0 && size.height > 0 ? size : null,
      boxes: annotation.object.map(({ name: label, bndbox: { xmin, ymin, xmax, ymax } }, index) => ({
        box: { x: xmin, y: ymin, width: xmax - xmin, height: ymax - ymin },
        meaning: meanings.get(label)!,
        source: `${basename(path)}, object ${index + 1}`,
      })),
    };
  });
  return completeScenes(
    root,
    scenes,
    { name: 'Pascal VOC', isRelative: false, boxesIn: 'displayed' },
    options.onProblem,
  );
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

async function parse(path: string): Promise<VocAnnotation> {
  const text = await readFile(path, 'utf8');
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw invalid(path, `line ${valid.err.line}: ${valid.err.msg}`);
  const parsed = annotationSchema.safeParse(parser.parse(text));
  if (parsed.success) return parsed.data.annotation;
  const issue = parsed.error.issues[0]!;
  throw invalid(path, `${issue.path.join('.')}: ${issue.message}`, parsed.error);
}

function invalid(path: string, problem: string, cause?: unknown): AppError {
  return new AppError('DATA_INVALID', `${path}: ${problem}`, {
    cause,
    path,
    hint: 'expected Pascal VOC: <annotation> with <object>, each with <name> and <bndbox>',
    exitCode: 2,
  });
}
