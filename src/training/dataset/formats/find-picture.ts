import { access, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';

export const PICTURE_EXTENSIONS: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.avif',
  '.bmp',
  '.gif',
  '.tif',
  '.tiff',
]);

export function isPictureName(name: string): boolean {
  return PICTURE_EXTENSIONS.has(extname(name).toLowerCase());
}

/** The first path that exists, or else the first of all, so that somebody can say what is missing. */
export async function firstFile(paths: readonly string[]): Promise<string> {
  for (const path of paths)
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  return paths[0]!;
}

/** All files below a folder by name, absolute; folders that begin with a dot are passed over. */
export async function listFiles(directory: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const paths: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) paths.push(...(await listFiles(path, isWanted)));
    else if (isWanted(entry.name)) paths.push(path);
  }
  return paths;
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const list = groups.get(keyOf(item));
    if (list) list.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** The candidate that shares most of its folders with `path`; `null` when there is none. */
export function nearestTo(path: string, candidates: readonly string[]): string | null {
  let nearest: string | null = null;
  let mostShared = -1;
  for (const candidate of candidates) {
    let shared = 0;
    while (shared < path.length && candidate[shared] === path[shared]) shared++;
    if (shared > mostShared) [nearest, mostShared] = [candidate, shared];
  }
  return nearest;
}
