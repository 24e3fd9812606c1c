import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { modelsDir } from '../../lib/package-paths.js';

/** The split that all shipped models are measured by. */
export function shippedSplit(): string {
  return join(modelsDir(), 'data', 'split.json');
}

/** The split of a model: its own, or the one that all share. */
export async function splitFileOf(modelDir: string): Promise<string> {
  const own = join(modelDir, 'split.json');
  return access(own).then(
    () => own,
    () => shippedSplit(),
  );
}
