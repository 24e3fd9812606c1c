import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Box } from '../../domain/box.js';
import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { modelsDir } from '../../lib/package-paths.js';

/** `[timeMs, x, y, width, height]`: a face at a moment of the clip, pixels of the source frame. */
const sightingSchema = z.tuple([
  z.number().min(0),
  z.number(),
  z.number(),
  z.number().positive(),
  z.number().positive(),
]);
const pathSchema = z
  .array(sightingSchema)
  .min(2)
  .refine((path) => path.every(([timeMs], index) => index === 0 || timeMs > path[index - 1]![0]), {
    message: 'times must rise',
  });
const personSchema = z.strictObject({
  id: z.string().min(1),
  label: z.enum(MASK_LABELS),
  /** Labels that nobody could call wrong either. */
  alsoRight: z.array(z.enum(MASK_LABELS)).optional(),
  note: z.string().optional(),
  /** When the face is to be seen, a path for each stretch of time; between two sightings it moves evenly. */
  paths: z.array(pathSchema).min(1),
});
const uncountedSchema = z.strictObject({
  fromMs: z.number().min(0),
  toMs: z.number(),
  /** Pixels of the source frame; absent: the whole frame. */
  region: z
    .strictObject({
      x: z.number(),
      y: z.number(),
      width: z.number().positive(),
      height: z.number().positive(),
    })
    .optional(),
  why: z.string(),
});
const truthSchema = z.strictObject({
  formatVersion: z.literal(1),
  about: z.string(),
  clips: z.array(
    z.strictObject({
      file: z.string().min(1),
      hash: z.string().regex(/^[0-9a-f]{16}$/, 'must be the first 16 hexadecimal digits of the sha256'),
      /** Of all scenes of the clip; somebody who is seen before and after a cut stands here twice. */
      persons: z.array(personSchema),
      /** People too small, hidden or doubtful to be judged: what is decided there is neither right nor wrong. */
      uncounted: z.array(uncountedSchema),
    }),
  ),
});
export type ClipsTruth = z.infer<typeof truthSchema>;
export type ClipTruth = ClipsTruth['clips'][number];
export type TruePerson = ClipTruth['persons'][number];

/** The truth that ships. */
export function shippedClipsTruth(): string {
  return join(modelsDir(), 'data', 'clips-truth.json');
}

/** Throws `AppError` DATA_NOT_FOUND when the file cannot be read, DATA_INVALID with the place that breaks the form. */
export async function readClipsTruth(path: string): Promise<ClipsTruth> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('DATA_INVALID', `${path} is not JSON`, { cause, path, exitCode: 2 });
  }
  const parsed = truthSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new AppError('DATA_INVALID', `${path}: ${issue.path.join('.')}: ${issue.message}`, {
    ...{ cause: parsed.error, path, exitCode: 2 },
  });
}

/** Where a person's face is at a moment, pixels of the source frame; null when it is not to be seen. */
export function faceOf({ paths }: Pick<TruePerson, 'paths'>, timeMs: number): Box | null {
  for (const path of paths) {
    const next = path.findIndex(([at]) => at >= timeMs);
    const after = path[next];
    if (!after) continue;
    if (after[0] === timeMs) return toBox(after);
    const before = path[next - 1];
    // The path begins later.
    if (!before) continue;
    const share = (timeMs - before[0]) / (after[0] - before[0]);
    const between = (index: 1 | 2 | 3 | 4) => before[index] + share * (after[index] - before[index]);
    return { x: between(1), y: between(2), width: between(3), height: between(4) };
  }
  return null;
}

function toBox([, x, y, width, height]: z.infer<typeof sightingSchema>): Box {
  return { x, y, width, height };
}
