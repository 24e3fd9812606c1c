import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { modelsDir, packageRoot } from '../../lib/package-paths.js';
import { applyCorrections, namedPictures, type UnfitCorrection } from './apply-corrections.js';
import { type Correction, type CorrectionAction, readCorrections } from './corrections.js';
import { contentHashOf } from './fingerprint.js';
import type { LabelledPicture } from './picture.js';

/** Which corrections a run worked on. */
export interface CorrectionsReport {
  /** As given, ours relative to the package; empty when switched off. */
  readonly files: readonly string[];
  readonly applied: Readonly<Partial<Record<CorrectionAction, number>>>;
  /** Lines that say what an earlier one says. */
  readonly repeated: number;
  readonly unfit: readonly UnfitCorrection[];
}

export const NO_CORRECTIONS: CorrectionsReport = { files: [], applied: {}, repeated: 0, unfit: [] };

/** Unfitting lines that are named one by one. */
const MOST_NAMED = 5;

/** The corrections of the data sets that the shipped models were trained on, by name. */
export async function shippedCorrections(): Promise<string[]> {
  const folder = join(modelsDir(), 'data');
  const names = await readdir(folder);
  return names
    .filter((name) => /^corrections.*\.jsonl$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Applies corrections to pictures. `file`: a path or several; `undefined` for the shipped ones, which pass over data
 * sets that only share their name with ours (no picture has the hash told there); `false` for none. Reads the
 * pictures that a correction names, to know their hash. Gives `corrections` as they were read, too. Rejects as
 * `readCorrections` does, and with DATA_UNREADABLE.
 */
export async function correctPictures(
  pictures: readonly LabelledPicture[],
  file: string | readonly string[] | false | undefined,
): Promise<{
  readonly pictures: readonly LabelledPicture[];
  readonly corrections: readonly Correction[];
  readonly report: CorrectionsReport;
}> {
  if (file === false) return { pictures, corrections: [], report: NO_CORRECTIONS };
  const paths = file === undefined ? await shippedCorrections() : [file].flat();
  const { corrections, repeated } = await readCorrections(...paths);
  const named = new Set([...namedPictures(pictures, corrections).values()].flat());
  const hashes = new Map<LabelledPicture, string>();
  for (const picture of named) hashes.set(picture, await contentHashOf(picture.path));
  const { applied, ...result } = applyCorrections(pictures, (picture) => hashes.get(picture)!, corrections);
  const rejected = new Set(result.unfit.map(({ source }) => source));
  const fitting = new Set(
    corrections.filter(({ source }) => !rejected.has(source)).map(({ dataset }) => dataset),
  );
  const isOurs = file === undefined;
  const shown = (path: string) => relative(packageRoot(), path).replaceAll('\\', '/');
  return {
    pictures: result.pictures,
    corrections,
    report: {
      files: isOurs ? paths.map(shown) : paths,
      applied,
      repeated,
      unfit: isOurs
        ? result.unfit
            .filter(({ dataset }) => fitting.has(dataset))
            .map((line) => ({ ...line, source: shown(line.source) }))
        : result.unfit,
    },
  };
}

/** For people: one line on what was applied, and one for each kind of trouble. */
export function describeCorrections({ files, applied, repeated, unfit }: CorrectionsReport): string[] {
  if (files.length === 0) return ['corrections: none'];
  const counts = Object.entries(applied).filter(([, count]) => count > 0);
  const lines = [
    `corrections: ${counts.map(([action, count]) => `${count} ${action}`).join(', ') || 'none apply'} (${files.join(', ')})`,
  ];
  if (repeated > 0) lines.push(`corrections: ${repeated} lines repeat another`);
  for (const { source, dataset, file, problem } of unfit.slice(0, MOST_NAMED))
    lines.push(`corrections: ${source} does not fit ${dataset}/${file}: ${problem}`);
  if (unfit.length > MOST_NAMED)
    lines.push(`corrections: ${unfit.length - MOST_NAMED} further lines do not fit`);
  return lines;
}
