import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDir } from '../../lib/cache-dir.js';
import { AppError, messageOf } from '../../lib/errors.js';
import { checkPlatform, checkSpace, findCompiler, findPip, readPlatform } from '../../setup/machine-check.js';
import {
  buildFolderName,
  defaultPackageDir,
  defaultStoreDir,
  linkedBuild,
  readBuild,
} from '../../setup/native-store.js';
import { TENSORFLOW_RELEASES, type TensorFlowVariant } from '../../setup/tensorflow-release.js';
import type { Finding } from './finding.js';

/**
 * Whether the choice of `engine: auto` can be remembered. Nothing is made to find out: a folder that is not there yet is
 * judged by the nearest one above it that is.
 */
export function cacheFinding(folder = cacheDir()): Finding {
  const name = 'cache folder';
  try {
    const above = nearestFolder(folder);
    accessSync(above, constants.W_OK | constants.X_OK);
    const isThere = above === folder ? '' : ' (made when it is first needed)';
    return { name, state: 'ok', detail: `${folder}${isThere}, ${gigabytes(freeBytes(above))} GB free` };
  } catch (error) {
    return {
      name,
      state: 'absent',
      detail: `${folder} cannot be written to, so engine: auto measures at every start: ${messageOf(error)}`,
      remedy: 'set XDG_CACHE_HOME to the absolute path of a folder that may be written to',
    };
  }
}

export interface SetUpPlace {
  readonly storeDir?: string;
  readonly packageDir?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * What native TensorFlow takes of the disk; where this `variant` is not set up, everything that would keep
 * `maskwatch setup tensorflow` from it, all at once, before anything large is fetched.
 */
export async function setUpFinding(variant: TensorFlowVariant, place: SetUpPlace = {}): Promise<Finding> {
  const { storeDir = defaultStoreDir(), packageDir = defaultPackageDir(), env = process.env } = place;
  const name = 'set-up of native TensorFlow';
  const done = (folder: string, diskBytes: number, more = ''): Finding => ({
    name,
    state: 'ok',
    detail: `done (${variant}): ${gigabytes(diskBytes)} GB in ${folder}${more}`,
  });
  const linked = linkedBuild(packageDir);
  if (linked?.marker.variant === variant) return done(linked.folder, linked.marker.diskBytes);
  const release = TENSORFLOW_RELEASES[variant];
  const kept = readBuild(storeDir, release);
  if (kept)
    return done(
      join(storeDir, buildFolderName(release)),
      kept.diskBytes,
      ', not linked: npx maskwatch setup tensorflow does it without building',
    );
  const hindrances: { readonly detail: string; readonly remedy: string }[] = [];
  let free = '';
  const checks: (() => unknown)[] = [
    () => checkPlatform(readPlatform()),
    () => findCompiler(env),
    () => findPip(env),
    () => {
      const above = nearestFolder(storeDir);
      accessSync(above, constants.W_OK | constants.X_OK);
      checkSpace(above, release);
      free = gigabytes(freeBytes(above));
    },
  ];
  for (const check of checks)
    try {
      await check();
    } catch (error) {
      const hint = error instanceof AppError ? error.hint : undefined;
      hindrances.push({
        detail: messageOf(error),
        remedy: hint ?? 'set MASKWATCH_TENSORFLOW_DIR to a folder that may be written to',
      });
    }
  if (hindrances.length === 0)
    return {
      name,
      state: 'ok',
      detail: `possible (${variant}): compiler and pip are there, ${free} GB free for ${storeDir}`,
    };
  return {
    name,
    state: 'absent',
    detail: `not possible (${variant}): ${hindrances.map(({ detail }) => detail).join('; ')}`,
    remedy: hindrances.map(({ remedy }) => remedy).join('; '),
  };
}

/** `path`, or the nearest folder above it. Throws when a file is in the way. */
function nearestFolder(path: string): string {
  // Below a file it throws (ENOTDIR) instead of saying that nothing is there.
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return path;
  if (stat) throw new Error(`${path} is no folder`);
  return nearestFolder(dirname(path));
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
