import { join } from 'node:path';
import { modelsDir } from '../../lib/package-paths.js';
import { applyCorrections, namedPictures, type UnfitCorrection } from './apply-corrections.js';
import { type CorrectionAction, readCorrections } from './corrections.js';
import { contentHashOf } from './fingerprint.js';
import type { LabelledPicture } from './picture.js';

/** Which corrections a run worked on: `file` null when they were switched off. */
export interface CorrectionsReport {
  readonly file: string | null;
  readonly applied: Readonly<Partial<Record<CorrectionAction, number>>>;
  /** Lines that say what an earlier one says. */
  readonly repeated: number;
  readonly unfit: readonly UnfitCorrection[];
}

/** Unfitting lines that are named one by one. */
const MOST_NAMED = 5;

export const NO_CORRECTIONS: CorrectionsReport = { file: null, applied: {}, repeated: 0, unfit: [] };

/** The corrections of the data sets that the shipped models were trained on. */
export function shippedCorrections(): string {
  return join(modelsDir(), 'data', 'corrections.jsonl');
}

/**
 * Applies a corrections file to pictures. `file`: a path; `undefined` for the shipped one, which passes over data
 * sets that only share their name with ours (no picture has the hash told there); `false` for none. Reads the
 * pictures that a correction names, to know their hash. Rejects as `readCorrections` does, and with DATA_UNREADABLE.
 */
export async function correctPictures(
  pictures: readonly LabelledPicture[],
  file: string | false | undefined,
): Promise<{ readonly pictures: readonly LabelledPicture[]; readonly report: CorrectionsReport }> {
  if (file === false) return { pictures, report: NO_CORRECTIONS };
  const path = file ?? shippedCorrections();
  const { corrections, repeated } = await readCorrections(path);
  const named = new Set([...namedPictures(pictures, corrections).values()].flat());
  const hashes = new Map<LabelledPicture, string>();
  for (const picture of named) hashes.set(picture, await contentHashOf(picture.path));
  const result = applyCorrections(pictures, (picture) => hashes.get(picture)!, corrections);
  const rejected = new Set(result.unfit.map(({ line }) => line));
  const fitting = new Set(
    corrections.filter(({ line }) => !rejected.has(line)).map(({ dataset }) => dataset),
  );
  const unfit =
    file === undefined ? result.unfit.filter(({ dataset }) => fitting.has(dataset)) : result.unfit;
  return {
    pictures: result.pictures,
    report: { file: path, applied: result.applied, repeated, unfit },
  };
}

/** For people: one line on what was applied, and one for each kind of trouble. */
export function describeCorrections({ file, applied, repeated, unfit }: CorrectionsReport): string[] {
  if (file === null) return ['corrections: none (switched off)'];
  const counts = Object.entries(applied).filter(([, count]) => count > 0);
  const lines = [
    `corrections: ${counts.map(([action, count]) => `${count} ${action}`).join(', ') || 'none apply'} (${file})`,
  ];
  if (repeated > 0) lines.push(`corrections: ${repeated} lines repeat another`);
  for (const { line, dataset, file: name, problem } of unfit.slice(0, MOST_NAMED))
    lines.push(`corrections: line ${line} does not fit ${dataset}/${name}: ${problem}`);
  if (unfit.length > MOST_NAMED)
    lines.push(`corrections: ${unfit.length - MOST_NAMED} further lines do not fit`);
  return lines;
}
