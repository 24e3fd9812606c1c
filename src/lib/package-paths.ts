import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | null = null;

/** The folder of our package.json: above `src/` when run from source, above `dist/src/` when built. */
export function packageRoot(): string {
  if (root) return root;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of maskwatch is missing above its own code');
    folder = parent;
  }
  root = folder;
  return folder;
}

/** The models that ship, one folder each. */
export function modelsDir(): string {
  return join(packageRoot(), 'models');
}

/** The built page. */
export function webRoot(): string {
  return join(packageRoot(), 'dist', 'web');
}

export function packageVersion(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
