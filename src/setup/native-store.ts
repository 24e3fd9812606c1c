import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../lib/package-paths.js';
import { BINDING_PACKAGE, type TensorFlowRelease, type TensorFlowVariant } from './tensorflow-release.js';

const storedFile = z.strictObject({
  /** Relative to the build's folder. */
  file: z.string().min(1),
  sizeBytes: z.int().nonnegative(),
  sha256: z.string(),
});

const markerSchema = z.strictObject({
  formatVersion: z.literal(1),
  variant: z.enum(['cpu', 'cuda']),
  /** Version that the library gave of itself when it was first loaded. */
  tensorflow: z.string(),
  bindingPackage: z.string(),
  napiVersion: z.int(),
  compiler: z.string(),
  node: z.string(),
  builtAt: z.string(),
  diskBytes: z.int(),
  wheels: z.array(storedFile),
  files: z.array(storedFile),
});

/** Written last into a build's folder, so that one without it is none. */
export type BuildMarker = z.infer<typeof markerSchema>;
export type StoredFile = z.infer<typeof storedFile>;

export const MARKER_FILE = 'setup.json';
const BUILDING = '.building-';
const ASIDE = '-replaced';

/** Where the builds of native TensorFlow lie, one folder each: MASKWATCH_TENSORFLOW_DIR, else `.tensorflow` beside package.json. */
export function defaultStoreDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.MASKWATCH_TENSORFLOW_DIR
    ? resolve(env.MASKWATCH_TENSORFLOW_DIR)
    : join(packageRoot(), '.tensorflow');
}

/** The folder of the npm package that loads the binding, there or not. */
export function defaultPackageDir(): string {
  return join(packageRoot(), 'node_modules', ...BINDING_PACKAGE.name.split('/'));
}

export function buildFolderName({
  version,
  variant,
}: Pick<TensorFlowRelease, 'version' | 'variant'>): string {
  return `tensorflow-${version}-${variant}`;
}

/** The marker of a build that is whole: of this release, every file there with its size. null otherwise. */
export function readBuild(storeDir: string, release: TensorFlowRelease): BuildMarker | null {
  const folder = join(storeDir, buildFolderName(release));
  const marker = readMarker(folder);
  if (!marker) return null;
  const isOfRelease =
    marker.variant === release.variant &&
    marker.bindingPackage === BINDING_PACKAGE.version &&
    release.wheels.every(({ sha256 }) => marker.wheels.some((wheel) => wheel.sha256 === sha256));
  const isWhole = marker.files.every(
    ({ file, sizeBytes }) => statSync(join(folder, file), { throwIfNoEntry: false })?.size === sizeBytes,
  );
  return isOfRelease && isWhole ? marker : null;
}

function readMarker(folder: string): BuildMarker | null {
  try {
    return markerSchema.parse(JSON.parse(readFileSync(join(folder, MARKER_FILE), 'utf8')));
  } catch {
    return null;
  }
}

/** The build that the npm package is linked to, with its folder; null when it is linked to none of ours. */
export function linkedBuild(packageDir: string): { folder: string; marker: BuildMarker } | null {
  try {
    const folder = dirname(realpathSync(join(packageDir, 'lib')));
    const marker = readMarker(folder);
    return marker ? { folder, marker } : null;
  } catch {
    return null;
  }
}

/** What the package's own folders `lib` (binding) and `deps` (libraries) are replaced by. */
const LINKED = ['lib', 'deps'] as const;

export function isLinked(packageDir: string, buildFolder: string): boolean {
  return LINKED.every((name) => {
    try {
      return realpathSync(join(packageDir, name)) === realpathSync(join(buildFolder, name));
    } catch {
      return false;
    }
  });
}

/** Links the package to a build, each link in one step; what stood there before is gone. */
export async function linkPackage(packageDir: string, buildFolder: string, storeDir: string): Promise<void> {
  // A store inside the project moves with it.
  const isInside =
    !relative(packageRoot(), storeDir).startsWith('..') && !isAbsolute(relative(packageRoot(), storeDir));
  for (const name of LINKED) {
    const link = join(packageDir, name);
    const target = join(buildFolder, name);
    const fresh = join(packageDir, `.${name}-${process.pid}`);
    await rm(fresh, { recursive: true, force: true });
    await symlink(isInside ? relative(packageDir, target) : target, fresh);
    const stat = lstatSync(link, { throwIfNoEntry: false });
    // A link is replaced by renaming over it, a folder cannot be.
    if (stat?.isDirectory()) await rm(link, { recursive: true, force: true });
    await rename(fresh, link);
  }
}

export async function unlinkPackage(packageDir: string): Promise<void> {
  for (const name of LINKED) {
    const link = join(packageDir, name);
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) await rm(link, { force: true });
  }
}

/** Takes the package off a build that does not load, back to the one it was linked to before, if that is still there. */
export async function linkBack(packageDir: string, before: ReturnType<typeof linkedBuild>): Promise<void> {
  await unlinkPackage(packageDir);
  if (before && readMarker(before.folder))
    await linkPackage(packageDir, before.folder, dirname(before.folder));
}

/** A new folder in which a build is made, until {@link keepBuild} gives it its name. */
export async function beginBuild(storeDir: string): Promise<string> {
  const folder = join(storeDir, `${BUILDING}${process.pid}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

/**
 * Gives a build its name. One that bears it already stands aside, `replaced`, until the new one has proved itself; what a
 * crash leaves of it goes with the next set-up's left-overs.
 */
export async function keepBuild(
  building: string,
  storeDir: string,
  release: TensorFlowRelease,
): Promise<{ kept: string; replaced: string | null }> {
  const kept = join(storeDir, buildFolderName(release));
  const aside = join(storeDir, `${BUILDING}${process.pid}${ASIDE}`);
  const replaced = readMarker(kept) === null ? null : aside;
  if (replaced) await rename(kept, replaced);
  else await rm(kept, { recursive: true, force: true });
  try {
    await rename(building, kept);
  } catch (error) {
    if (replaced) await rename(replaced, kept);
    throw error;
  }
  return { kept, replaced };
}

/** Builds under way: those whose process is gone are left-overs. */
export function listBuilding(storeDir: string): { folder: string; pid: number; isAlive: boolean }[] {
  if (!existsSync(storeDir)) return [];
  return readdirSync(storeDir)
    .filter((name) => name.startsWith(BUILDING))
    .map((name) => {
      const pid = Number.parseInt(name.slice(BUILDING.length), 10);
      return { folder: join(storeDir, name), pid, isAlive: pid !== process.pid && isProcessAlive(pid) };
    });
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Folders of builds, finished or not. */
export function listBuilds(
  storeDir: string,
): { folder: string; variant: TensorFlowVariant | null; diskBytes: number }[] {
  if (!existsSync(storeDir)) return [];
  return readdirSync(storeDir)
    .filter((name) => name.startsWith('tensorflow-'))
    .map((name) => {
      const folder = join(storeDir, name);
      const marker = readMarker(folder);
      return { folder, variant: marker?.variant ?? null, diskBytes: folderBytes(folder) };
    });
}

/** Bytes of all files below; links are not followed. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += folderBytes(path);
    else if (entry.isFile()) bytes += lstatSync(path).size;
  }
  return bytes;
}
