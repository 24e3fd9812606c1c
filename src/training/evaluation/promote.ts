import { cp, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { verifyManifest } from '../../inference/manifest.js';
import { AppError } from '../../lib/errors.js';
import type { ModelComparison } from './model-comparison.js';

export interface PromoteOptions {
  readonly candidateDir: string;
  /** Where it goes, e.g. `models/mask-mobilenetv2`; the folder's name becomes the model's. */
  readonly targetDir: string;
  /** Compares the candidate with the model that is at `targetDir`; asked only when there is one. */
  readonly compare: () => Promise<ModelComparison>;
}

export interface Promotion {
  readonly isPromoted: boolean;
  /** Null when there was no model to compare with. */
  readonly comparison: ModelComparison | null;
}

/**
 * Puts a trained model in the place of the present one if it passes the gate (promotion-gate.ts), or if there is
 * none. The folder is exchanged whole: whoever reads it finds the old model or the new one, and when anything fails
 * the old one stands. Rejects with `AppError` MODEL_INVALID when the candidate does not match its manifest.
 */
export async function promoteOnlyIfBetter({
  candidateDir,
  targetDir,
  compare,
}: PromoteOptions): Promise<Promotion> {
  const { problems } = await verifyManifest(candidateDir);
  if (problems.length > 0)
    throw new AppError('MODEL_INVALID', `${candidateDir}: ${problems[0]!.message}`, { path: candidateDir });
  const hasIncumbent = await stat(targetDir).then(
    () => true,
    () => false,
  );
  const comparison = hasIncumbent ? await compare() : null;
  if (comparison && !comparison.gate.isBetter) return { isPromoted: false, comparison };
  // Beside the target, so that renaming stays within one file system.
  const workDir = await mkdtemp(join(dirname(targetDir), `.${basename(targetDir)}-`));
  const [fresh, old] = [join(workDir, 'new'), join(workDir, 'old')];
  try {
    await cp(candidateDir, fresh, { recursive: true });
    const manifestFile = join(fresh, 'manifest.json');
    const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as object;
    await writeFile(manifestFile, `${JSON.stringify({ ...manifest, name: basename(targetDir) }, null, 2)}\n`);
    if (hasIncumbent) await rename(targetDir, old);
    try {
      await rename(fresh, targetDir);
    } catch (error) {
      if (hasIncumbent) await rename(old, targetDir);
      throw error;
    }
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  return { isPromoted: true, comparison };
}
