import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../lib/errors.js';
import type { PrintedPicture, SplitPart, SplitRules } from './split.js';

const heldOut = z.array(z.string().regex(/^[0-9a-f]{16} .+$/, 'must be "HASH NAME"'));
const splitFileSchema = z.strictObject({
  formatVersion: z.literal(1),
  about: z.string(),
  rules: z.strictObject({
    seed: z.string(),
    validationFraction: z.number(),
    testFraction: z.number(),
    twinMaxDistance: z.number(),
    fixed: z.record(z.string(), z.enum(['train', 'validation', 'test'])),
  }),
  counts: z.record(z.string(), z.strictObject({ train: z.int(), validation: z.int(), test: z.int() })),
  /** Data set → pictures, as `HASH NAME`. What is in neither list was open to training. */
  validation: z.record(z.string(), heldOut),
  test: z.record(z.string(), heldOut),
});
export type SplitFile = z.infer<typeof splitFileSchema>;

/** The written form of a split: only the held-out pictures are listed, each by content hash and name. */
export function describeSplit(
  pictures: readonly PrintedPicture[],
  parts: readonly SplitPart[],
  rules: SplitRules,
): SplitFile {
  const file: SplitFile = {
    formatVersion: 1,
    about: 'First 16 hexadecimal digits of the sha256 and name of every held-out picture.',
    rules: { ...rules, fixed: { ...rules.fixed } },
    counts: {},
    validation: {},
    test: {},
  };
  pictures.forEach(({ picture, print }, index) => {
    const part = parts[index]!;
    file.counts[picture.dataset] ??= { train: 0, validation: 0, test: 0 };
    file.counts[picture.dataset]![part]++;
    if (part === 'train') return;
    file[part][picture.dataset] ??= [];
    file[part][picture.dataset]!.push(`${print.contentHash} ${basename(picture.path)}`);
  });
  return file;
}

/** Content hash → part of every listed picture. */
export function heldOutHashes(file: SplitFile): Map<string, SplitPart> {
  const parts = new Map<string, SplitPart>();
  for (const part of ['validation', 'test'] as const)
    for (const lines of Object.values(file[part]))
      for (const line of lines) parts.set(line.slice(0, 16), part);
  return parts;
}

export async function writeSplitFile(path: string, file: SplitFile): Promise<void> {
  await writeFile(path, `${JSON.stringify(file, null, 1)}\n`);
}

/** Throws `AppError` DATA_NOT_FOUND or SPLIT_INVALID. */
export async function readSplitFile(path: string): Promise<SplitFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
  }
  try {
    return splitFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('SPLIT_INVALID', `${path} is not a split file`, { cause, path, exitCode: 2 });
  }
}
