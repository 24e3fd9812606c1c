import { realpathSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../lib/errors.js';
import { readNvidiaGpus } from '../lib/nvidia.js';
import { ensureBindingPackage } from './binding-package.js';
import { BINDING_FILE, buildBinding, linkLibraries } from './build-binding.js';
import { downloadWheels, sha256OfFile, takeWheels } from './fetch-wheels.js';
import { checkPlatform, checkSpace, fileError, findCompiler, readPlatform } from './machine-check.js';
import {
  type BuildMarker,
  beginBuild,
  buildFolderName,
  defaultPackageDir,
  defaultStoreDir,
  folderBytes,
  isLinked,
  keepBuild,
  linkBack,
  linkedBuild,
  linkPackage,
  listBuilding,
  listBuilds,
  MARKER_FILE,
  readBuild,
  unlinkPackage,
} from './native-store.js';
import { type ProvenBinding, proveBinding } from './prove-binding.js';
import { type SetupProgress, SILENT } from './setup-parts.js';
import {
  BINDING_PACKAGE,
  NAPI_VERSION,
  TENSORFLOW_RELEASES,
  type TensorFlowRelease,
  type TensorFlowVariant,
} from './tensorflow-release.js';
import { unpackWheels } from './unpack-wheel.js';

export interface SetupOptions {
  /** Default: CUDA where an NVIDIA GPU is, else CPU. */
  readonly variant?: TensorFlowVariant | undefined;
  /** Files to take instead of downloading. */
  readonly wheels?: readonly string[] | undefined;
  /** Build again what is whole already. */
  readonly force?: boolean | undefined;
  readonly progress?: SetupProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly storeDir?: string;
  readonly packageDir?: string;
  /** What to set up; for tests. */
  readonly releases?: Readonly<Record<TensorFlowVariant, TensorFlowRelease>>;
  /** Loads what was linked; for tests. */
  readonly prove?: (packageDir: string, signal?: AbortSignal) => Promise<ProvenBinding>;
  readonly env?: NodeJS.ProcessEnv;
}

export interface SetupReport {
  readonly state: 'set-up' | 'linked' | 'already-there';
  readonly variant: TensorFlowVariant;
  readonly tensorflow: string;
  readonly package: string;
  readonly folder: string;
  readonly diskBytes: number;
  /** Left-overs of set-ups that did not come to their end and were removed. */
  readonly leftOversRemoved: number;
}

/**
 * Makes native TensorFlow.js loadable: downloads TensorFlow's wheel, compares its hash, takes the libraries out, builds
 * the binding, links it into the npm package and loads it once. All is made in a folder of its own, which counts as a
 * build when it has loaded; what fails or is stopped leaves nothing behind, a build that it was to replace as it
 * was, and the package linked as before. What is there already is left alone.
 * Throws `AppError`s SETUP_…; the signal's reason when aborted.
 */
export async function setupTensorFlow(options: SetupOptions = {}): Promise<SetupReport> {
  const storeDir = options.storeDir ?? defaultStoreDir();
  try {
    return await setup(options, storeDir);
  } catch (error) {
    throw fileError(error, storeDir);
  }
}

async function setup(options: SetupOptions, storeDir: string): Promise<SetupReport> {
  const { signal, progress = SILENT, prove = proveBinding } = options;
  const packageDir = options.packageDir ?? defaultPackageDir();
  const variant = options.variant ?? (readNvidiaGpus().isPresent ? 'cuda' : 'cpu');
  const release = (options.releases ?? TENSORFLOW_RELEASES)[variant];
  const leftOversRemoved = await removeLeftOvers(storeDir);
  const report = (state: SetupReport['state'], marker: BuildMarker): SetupReport => ({
    state,
    variant,
    tensorflow: marker.tensorflow,
    package: `${BINDING_PACKAGE.name} ${BINDING_PACKAGE.version}`,
    folder: join(storeDir, buildFolderName(release)),
    diskBytes: marker.diskBytes,
    leftOversRemoved,
  });

  const folder = join(storeDir, buildFolderName(release));
  const there = options.force ? null : readBuild(storeDir, release);
  if (there && isLinked(packageDir, folder)) return report('already-there', there);
  checkPlatform(readPlatform());
  if (there) {
    const temp = await beginBuild(storeDir);
    try {
      await ensureBindingPackage(packageDir, temp, signal);
    } finally {
      await rm(temp, { recursive: true, force: true });
    }
    const before = linkedBuild(packageDir);
    try {
      await linkPackage(packageDir, folder, storeDir);
      progress.phase('loading TensorFlow');
      await prove(packageDir, signal);
    } catch (error) {
      // Linked, it would be taken for good the next time.
      await linkBack(packageDir, before?.folder === realpathSync(folder) ? null : before);
      throw error;
    }
    return report('linked', there);
  }
  const marker = await build({ ...options, storeDir, packageDir, release, progress, prove });
  return report('set-up', marker);
}

async function build(
  options: SetupOptions & {
    storeDir: string;
    packageDir: string;
    release: TensorFlowRelease;
    progress: SetupProgress;
    prove: NonNullable<SetupOptions['prove']>;
  },
): Promise<BuildMarker> {
  const { storeDir, packageDir, release, progress, signal, env = process.env } = options;
  // What may be missing is told before anything large is fetched.
  const compiler = await findCompiler(env);
  await mkdir(storeDir, { recursive: true });
  checkSpace(storeDir, release);
  const before = linkedBuild(packageDir);
  const building = await beginBuild(storeDir);
  let kept: string | null = null;
  let replaced: string | null = null;
  try {
    await ensureBindingPackage(packageDir, building, signal);
    const downloads = join(building, 'wheels');
    const wheels = options.wheels?.length
      ? await takeWheels(release.wheels, options.wheels, progress)
      : await downloadWheels({ wheels: release.wheels, folder: downloads, progress, signal, env });
    const unpacked = await unpackWheels({ wheels, folder: building, progress, signal });
    await rm(downloads, { recursive: true, force: true });
    await rm(join(building, 'package'), { recursive: true, force: true });
    await linkLibraries(building);
    progress.phase('building the binding');
    await buildBinding({ packageDir, folder: building, compiler, signal, env });
    const path = join(building, BINDING_FILE);
    const binding = {
      file: BINDING_FILE,
      sizeBytes: (await stat(path)).size,
      sha256: await sha256OfFile(path),
    };
    ({ kept, replaced } = await keepBuild(building, storeDir, release));
    await linkPackage(packageDir, kept, storeDir);
    progress.phase('loading TensorFlow');
    const proven = await options.prove(packageDir, signal);
    const marker: BuildMarker = {
      formatVersion: 1,
      variant: release.variant,
      tensorflow: proven.tensorflow,
      bindingPackage: BINDING_PACKAGE.version,
      napiVersion: NAPI_VERSION,
      compiler: compiler.version,
      node: process.version,
      builtAt: new Date().toISOString(),
      diskBytes: folderBytes(kept),
      wheels: release.wheels.map(({ file, sizeBytes, sha256 }) => ({ file, sizeBytes, sha256 })),
      // Headers are gone again.
      files: [...unpacked.filter(({ file }) => !file.startsWith('deps/include/')), binding],
    };
    await writeFile(join(kept, MARKER_FILE), `${JSON.stringify(marker, null, 2)}\n`);
    kept = null;
    return marker;
  } finally {
    await rm(building, { recursive: true, force: true });
    // Without a marker it is no build: it did not load.
    if (kept) {
      await rm(kept, { recursive: true, force: true });
      if (replaced) await rename(replaced, kept);
      await linkBack(packageDir, before);
    } else if (replaced) await rm(replaced, { recursive: true, force: true });
  }
}

/** Removes folders of set-ups that are gone. Throws `AppError` SETUP_BUSY while one is at work. */
async function removeLeftOvers(storeDir: string): Promise<number> {
  const building = listBuilding(storeDir);
  const busy = building.find(({ isAlive }) => isAlive);
  if (busy)
    throw new AppError('SETUP_BUSY', `another set-up is at work (process ${busy.pid})`, {
      path: busy.folder,
      hint: 'wait for it; if that process is none of maskwatch, remove the folder',
    });
  for (const { folder } of building) await rm(folder, { recursive: true, force: true });
  return building.length;
}

export interface RemoveReport {
  readonly removed: readonly string[];
  readonly freedBytes: number;
}

/** Takes back what {@link setupTensorFlow} did: the links, every build and every left-over. */
export async function removeTensorFlow(
  options: Pick<SetupOptions, 'storeDir' | 'packageDir'> = {},
): Promise<RemoveReport> {
  const storeDir = options.storeDir ?? defaultStoreDir();
  try {
    await removeLeftOvers(storeDir);
    const builds = listBuilds(storeDir);
    await unlinkPackage(options.packageDir ?? defaultPackageDir());
    for (const { folder } of builds) await rm(folder, { recursive: true, force: true });
    return {
      removed: builds.map(({ folder }) => folder),
      freedBytes: builds.reduce((sum, { diskBytes }) => sum + diskBytes, 0),
    };
  } catch (error) {
    throw fileError(error, storeDir);
  }
}
