import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../lib/errors.js';
import { modelsDir } from '../../lib/package-paths.js';
import { FACELESS_KINDS, type FacelessPlan } from './faceless-picture.js';

/** In the folder of a set, beside its pictures. */
export const MANIFEST_FILE = 'manifest.jsonl';

const boxSchema = z.strictObject({
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
});
const sourceSchema = z.strictObject({
  dataset: z.string().min(1),
  file: z.string().min(1),
  hash: z.string().regex(/^[0-9a-f]{16}$/, 'must be the first 16 hexadecimal digits of the sha256'),
  atMs: z.number().min(0).optional(),
});
const lineSchema = z.strictObject({
  file: z.string().min(1),
  kind: z.enum(FACELESS_KINDS),
  part: z.enum(['validation', 'test', 'clips']),
  source: sourceSchema,
  region: boxSchema,
  place: boxSchema.optional(),
  overlay: z.strictObject({ source: sourceSchema, box: boxSchema, turnDegrees: z.number() }).optional(),
});
/** A picture of the set: its file, from the manifest's folder with slashes, and the plan it is cut by. */
export type ManifestLine = z.infer<typeof lineSchema>;

/** The set that the published figures are measured on: looked at, picture by picture. */
export function shippedFacelessSet(): string {
  return join(modelsDir(), 'data', 'faceless-set.jsonl');
}

/** The text of a manifest, a line for each picture. */
export function describeManifest(
  pictures: readonly { readonly file: string; readonly plan: FacelessPlan }[],
): string {
  return pictures.map(({ file, plan }) => `${JSON.stringify({ file, ...plan })}\n`).join('');
}

/**
 * The lines of a manifest, in order; null when there is no such file. Throws `AppError` DATA_INVALID naming the line
 * that has another form.
 */
export async function readManifest(path: string): Promise<readonly ManifestLine[] | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  return text
    .split(/\r?\n/)
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, path, index + 1)]));
}

function parseLine(text: string, path: string, line: number): ManifestLine {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('DATA_INVALID', `${path}, line ${line}: no picture of a set without faces`, {
      ...{ cause, path: `${path}:${line}`, exitCode: 2 },
      hint: 'expected {"file", "kind", "part", "source", "region", …} as scripts/make-faceless-set.ts writes it',
    });
  }
}
