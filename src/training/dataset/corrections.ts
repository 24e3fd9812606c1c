import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Box, iou } from '../../domain/box.js';
import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';

/** A box of a correction is that of an annotation when no side differs by more, pixels. */
export const SAME_BOX_PX = 1;
/** From this overlap on, two boxes drawn by hand are about the same thing. */
export const SAME_THING_IOU = 0.7;

const boxSchema = z.strictObject({
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
});
const named = {
  dataset: z.string().min(1),
  file: z.string().min(1),
  hash: z.string().regex(/^[0-9a-f]{16}$/, 'must be the first 16 hexadecimal digits of the sha256'),
  why: z.string().max(200).optional(),
};
const correctionSchema = z.discriminatedUnion('action', [
  z.strictObject({
    ...named,
    action: z.literal('relabel'),
    box: boxSchema.optional(),
    label: z.enum(MASK_LABELS),
  }),
  z.strictObject({ ...named, action: z.literal('remove'), box: boxSchema.optional() }),
  z.strictObject({
    ...named,
    action: z.literal('add'),
    box: boxSchema,
    label: z.enum(MASK_LABELS).optional(),
  }),
  z.strictObject({ ...named, action: z.literal('ignore'), box: boxSchema }),
  z.strictObject({ ...named, action: z.literal('not_a_face'), box: boxSchema }),
]);

export const CORRECTION_ACTIONS = ['relabel', 'remove', 'add', 'ignore', 'not_a_face'] as const;
export type CorrectionAction = (typeof CORRECTION_ACTIONS)[number];

/** What one line of a corrections file says. `box` is absent for pictures of one person. */
export type Correction = z.infer<typeof correctionSchema> & {
  /** Where it stands, `FILE:LINE`. */
  readonly source: string;
};

/** Corrections as read: a line that says what an earlier one says is only counted. */
export interface CorrectionList {
  readonly corrections: readonly Correction[];
  readonly repeated: number;
}

interface NamedText {
  /** For messages. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads a corrections file, or several together (each person may keep their own): one JSON object a line,
 * `{dataset, file, hash, action, box?, label?, why?}`; see docs/training-data.md. Empty lines are skipped. Throws
 * `AppError` DATA_NOT_FOUND when one cannot be read, CORRECTIONS_INVALID naming the line that breaks the form,
 * CORRECTIONS_CONFLICT naming two lines that contradict each other.
 */
export async function readCorrections(...paths: readonly string[]): Promise<CorrectionList> {
  const texts: NamedText[] = [];
  for (const path of paths)
    try {
      texts.push({ name: path, text: await readFile(path, 'utf8') });
    } catch (cause) {
      throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
    }
  return parseCorrections(texts);
}

/** As {@link readCorrections}, of text. */
export function parseCorrections(texts: readonly NamedText[]): CorrectionList {
  const corrections: Correction[] = [];
  const byPicture = new Map<string, Correction[]>();
  let repeated = 0;
  for (const correction of texts.flatMap(parseLines)) {
    // A data set may be named with the folder above it or without.
    const dataset = correction.dataset.split('/').at(-1);
    const key = JSON.stringify([dataset, correction.file, correction.hash]);
    const others = byPicture.get(key) ?? [];
    byPicture.set(key, others);
    const relations = others.map((other) => ({ other, relation: relationOf(other, correction) }));
    const conflict = relations.find(({ relation }) => relation === 'conflict');
    if (conflict) throw contradiction(conflict.other, correction);
    if (relations.some(({ relation }) => relation === 'same')) {
      repeated++;
      continue;
    }
    others.push(correction);
    corrections.push(correction);
  }
  return { corrections, repeated };
}

/** Does no side of two boxes differ by more than {@link SAME_BOX_PX}? */
export function isSameBox(a: Box, b: Box): boolean {
  return (['x', 'y', 'width', 'height'] as const).every((side) => Math.abs(a[side] - b[side]) <= SAME_BOX_PX);
}

/**
 * Do two corrections of one picture say the same, contradict each other, or speak of different things? `relabel`
 * and `remove` name an annotation by its box. All but `remove` claim what is to be seen at a place, and there can
 * be only one thing; `remove` goes with a claim other than `relabel`, e.g. with the `add` of a better box.
 */
function relationOf(a: Correction, b: Correction): 'same' | 'conflict' | 'unrelated' {
  if (!a.box || !b.box) {
    if (a.box || b.box) return 'unrelated';
    return claimOf(a) === claimOf(b) ? 'same' : 'conflict';
  }
  const isAnnotation = ({ action }: Correction) => action === 'relabel' || action === 'remove';
  if (isAnnotation(a) && isAnnotation(b)) {
    if (!isSameBox(a.box, b.box)) return 'unrelated';
    return claimOf(a) === claimOf(b) ? 'same' : 'conflict';
  }
  if (a.action === 'remove' || b.action === 'remove' || iou(a.box, b.box) < SAME_THING_IOU)
    return 'unrelated';
  return claimOf(a) === claimOf(b) ? 'same' : 'conflict';
}

function claimOf(correction: Correction): string {
  return `${correction.action}:${'label' in correction ? correction.label : ''}`;
}

function parseLines({ name, text }: NamedText): Correction[] {
  return text
    .split(/\r?\n/)
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, name, index + 1)]));
}

function parseLine(text: string, name: string, line: number): Correction {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, line, 'is not JSON', cause);
  }
  const parsed = correctionSchema.safeParse(json);
  if (parsed.success) return { ...parsed.data, source: `${name}:${line}` };
  const issue = parsed.error.issues[0]!;
  throw invalid(name, line, `${issue.path.join('.') || '(line)'}: ${issue.message}`, parsed.error);
}

function invalid(name: string, line: number, problem: string, cause: unknown): AppError {
  return new AppError('CORRECTIONS_INVALID', `${name}, line ${line}: ${problem}`, {
    cause,
    path: `${name}:${line}`,
    hint: `expected {"dataset", "file", "hash", "action": ${CORRECTION_ACTIONS.join(' | ')}, "box"?, "label"?, "why"?}`,
    exitCode: 2,
  });
}

function contradiction(earlier: Correction, later: Correction): AppError {
  return new AppError(
    'CORRECTIONS_CONFLICT',
    `${earlier.source} and ${later.source} contradict each other (${claimOf(earlier)}, ${claimOf(later)}) about one place in ${later.dataset}/${later.file}`,
    { path: later.source, hint: 'keep the one that is right', exitCode: 2 },
  );
}
