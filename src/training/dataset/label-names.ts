import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';

/**
 * What becomes of an annotation: a label; a face without one (`unclassified`); a region that is neither used nor
 * counted (`ignore`); or nothing at all (`skip`), e.g. a whole person or a car.
 */
export const LABEL_MEANINGS = [...MASK_LABELS, 'unclassified', 'ignore', 'skip'] as const;
export type LabelMeaning = (typeof LABEL_MEANINGS)[number];

/** Label names of other people's data sets → meaning; looked up before the built-in table. */
export type LabelMap = Readonly<Record<string, LabelMeaning>>;

/**
 * Names in use in published data sets, written as {@link plainName} writes them. Names that mean different things in
 * different data sets (`face`, `person`, `occluded`) are left to the label map.
 */
const KNOWN_NAMES: Readonly<Record<MaskLabel, readonly string[]>> = {
  with_mask: [
    'with_mask',
    'mask',
    'masked',
    'masked_face',
    'face_mask',
    'face_with_mask',
    'mask_on',
    'wearing_mask',
    'correct_mask',
    'mask_correct',
    'mask_weared_correct',
    'mask_worn_correctly',
    'correctly_masked_face',
  ],
  without_mask: [
    'without_mask',
    'no_mask',
    'nomask',
    'non_mask',
    'unmasked',
    'unmasked_face',
    'face_no_mask',
    'face_without_mask',
    'mask_off',
    'not_wearing_mask',
    'withoutmask',
  ],
  mask_worn_incorrectly: [
    'mask_worn_incorrectly',
    'mask_weared_incorrect',
    'mask_weared_incorrectly',
    'mask_worn_incorrect',
    'incorrect_mask',
    'mask_incorrect',
    'incorrectly_worn_mask',
    'incorrectly_masked_face',
    'improper_mask',
    'wrong_mask',
    'mask_wrong',
    'partial_mask',
  ],
};
const BUILT_IN = new Map<string, MaskLabel>(
  MASK_LABELS.flatMap((label) => KNOWN_NAMES[label].map((name) => [name, label] as const)),
);

/** `With-Mask`, `with mask` and `with_mask` are one name. */
export function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s._-]+/g, '_');
}

/** The meaning of a data set's own label name; `undefined` when nobody has said. */
export function meaningOf(name: string, map: LabelMap = {}): LabelMeaning | undefined {
  return mappedMeaning(name, map) ?? BUILT_IN.get(plainName(name));
}

/** What a label map alone says of a name. */
export function mappedMeaning(name: string, map: LabelMap): LabelMeaning | undefined {
  return map[name] ?? mapByPlainName(map).get(plainName(name));
}

const plainMaps = new WeakMap<LabelMap, Map<string, LabelMeaning>>();
function mapByPlainName(map: LabelMap): Map<string, LabelMeaning> {
  let plain = plainMaps.get(map);
  if (!plain) {
    plain = new Map(Object.entries(map).map(([name, meaning]) => [plainName(name), meaning]));
    plainMaps.set(map, plain);
  }
  return plain;
}

const labelMapSchema = z.record(z.string().min(1), z.enum(LABEL_MEANINGS));

/**
 * A label map from a JSON file, or from JSON itself: `{"face": "without_mask", "person": "skip"}`. Throws `AppError`
 * LABEL_MAP_INVALID, or DATA_NOT_FOUND when there is no such file.
 */
export async function readLabelMap(fileOrJson: string): Promise<LabelMap> {
  const isJson = fileOrJson.trimStart().startsWith('{');
  const path = isJson ? '--label-map' : fileOrJson;
  let text = fileOrJson;
  if (!isJson)
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
    }
  const invalid = (problem: string, cause: unknown) =>
    new AppError('LABEL_MAP_INVALID', `${path}: ${problem}`, {
      cause,
      path,
      hint: `expected {"NAME": ${LABEL_MEANINGS.join(' | ')}}`,
      exitCode: 2,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid('is not JSON', cause);
  }
  const parsed = labelMapSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalid(`${issue.path.join('.') || '(file)'}: ${issue.message}`, parsed.error);
}

/**
 * The meanings of all label names that occur in one data set. Throws `AppError` DATA_LABEL_UNKNOWN, naming every
 * name that has none and how often it occurs.
 */
export function meaningsOf(
  counts: ReadonlyMap<string, number>,
  source: string,
  map: LabelMap | undefined,
): Map<string, LabelMeaning> {
  const meanings = new Map<string, LabelMeaning>();
  const unknown: string[] = [];
  for (const name of counts.keys()) {
    const meaning = meaningOf(name, map);
    if (meaning === undefined) unknown.push(name);
    else meanings.set(name, meaning);
  }
  if (unknown.length === 0) return meanings;
  const found = unknown.map((name) => `"${name}" (${counts.get(name)} times)`).join(', ');
  const example = Object.fromEntries(unknown.slice(0, 3).map((name) => [name, 'skip']));
  throw new AppError('DATA_LABEL_UNKNOWN', `${source}: labels of unknown meaning: ${found}`, {
    path: source,
    hint: `say what they mean: --label-map '${JSON.stringify(example)}' (${LABEL_MEANINGS.join(', ')})`,
    exitCode: 2,
  });
}
