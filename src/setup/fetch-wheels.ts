import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../lib/errors.js';
import { findPip } from './machine-check.js';
import { lastLines, runTool } from './run-tool.js';
import type { SetupProgress } from './setup-parts.js';
import type { PinnedWheel } from './tensorflow-release.js';

/** How often the progress of a download is looked at, ms. */
const LOOK_PERIOD_MS = 500;

/** The wheels are for this Python; which one runs pip does not matter, as no Python code is used. */
const TARGET_PYTHON = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'];

export interface FetchOptions {
  readonly wheels: readonly PinnedWheel[];
  /** Is made; the wheels lie in it afterwards. */
  readonly folder: string;
  readonly progress: SetupProgress;
  readonly signal?: AbortSignal | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Downloads wheels with pip, from wherever it is set up to take packages, and compares size and sha256. Returns their
 * paths in the order of `wheels`. Throws `AppError` SETUP_TOOL_MISSING, SETUP_DOWNLOAD_FAILED, SETUP_WRONG_HASH,
 * SETUP_NO_SPACE.
 */
export async function downloadWheels(options: FetchOptions): Promise<string[]> {
  const { wheels, folder, progress, signal, env = process.env } = options;
  const python = await findPip(env);
  const temp = join(folder, 'temp');
  await mkdir(temp, { recursive: true });
  const requirements = join(folder, 'requirements.txt');
  await writeFile(
    requirements,
    wheels.map(({ project, version, sha256 }) => `${project}==${version} --hash=sha256:${sha256}\n`).join(''),
  );
  const platforms = [...new Set(wheels.flatMap(({ file }) => platformsOf(file)))];
  const args = [
    ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--require-hashes'],
    ...['--disable-pip-version-check', '--no-input', '--no-cache-dir', '--progress-bar', 'off', '--quiet'],
    ...platforms.flatMap((platform) => ['--platform', platform]),
    ...TARGET_PYTHON,
    ...['--dest', folder, '--requirement', requirements],
  ];
  const totalBytes = wheels.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  progress.begin('downloading TensorFlow', megabytes(totalBytes), 'MB');
  // pip tells nothing that could be read by a program; what has arrived lies below our folder.
  const look = setInterval(
    () => progress.update(Math.min(megabytes(totalBytes), megabytes(bytesBelow(folder)))),
    LOOK_PERIOD_MS,
  );
  try {
    const run = await runTool(python, args, { signal, env: { ...env, TMPDIR: temp } });
    if (run.exitCode !== 0) throw pipError(run.stderr);
  } finally {
    clearInterval(look);
    progress.end();
  }
  return checkWheels(
    wheels,
    wheels.map(({ file }) => join(folder, file)),
    progress,
  );
}

/**
 * Finds the wheels among files that somebody brought, by their names, and compares size and sha256.
 * Throws `AppError` SETUP_WHEEL_MISSING (exit code 2) or SETUP_WRONG_HASH.
 */
export async function takeWheels(
  wheels: readonly PinnedWheel[],
  paths: readonly string[],
  progress: SetupProgress,
): Promise<string[]> {
  const found = wheels.map(({ file }) => paths.find((path) => basename(path) === file));
  const missing = wheels.filter((_, index) => found[index] === undefined).map(({ file }) => file);
  if (missing.length > 0)
    throw new AppError('SETUP_WHEEL_MISSING', `--wheel gives no ${missing.join(', ')}`, {
      exitCode: 2,
      hint: 'docs/gpu.md says how to fetch the wheels on another machine',
    });
  return checkWheels(wheels, found as string[], progress);
}

async function checkWheels(
  wheels: readonly PinnedWheel[],
  paths: readonly string[],
  progress: SetupProgress,
): Promise<string[]> {
  const totalBytes = wheels.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  progress.begin('checking TensorFlow', megabytes(totalBytes), 'MB');
  let doneBytes = 0;
  try {
    for (const [index, { file, sizeBytes, sha256 }] of wheels.entries()) {
      const path = paths[index]!;
      const size = (await stat(path).catch(() => null))?.size;
      if (size === undefined) throw new AppError('SETUP_DOWNLOAD_FAILED', `${file} did not arrive`, { path });
      if (size !== sizeBytes) throw wrongHash(path, `${file} has ${size} bytes, expected ${sizeBytes}`);
      const found = await sha256OfFile(path, (bytes) => {
        doneBytes += bytes;
        progress.update(megabytes(doneBytes));
      });
      if (found !== sha256) throw wrongHash(path, `${file} has sha256 ${found}, expected ${sha256}`);
    }
  } finally {
    progress.end();
  }
  return [...paths];
}

/** Lower-case hexadecimal sha256 of a file of any size. */
export async function sha256OfFile(path: string, onBytes?: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      hash.update(chunk);
      onBytes?.(chunk.length);
    }
  });
  return hash.digest('hex');
}

/** `a-1-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl` is for two platforms. */
function platformsOf(file: string): string[] {
  return file
    .replace(/\.whl$/, '')
    .split('-')
    .at(-1)!
    .split('.');
}

function pipError(stderr: string): AppError {
  const said = lastLines(stderr);
  if (/do not match the hashes|hash mismatch/i.test(stderr)) return wrongHash(undefined, said);
  if (/no space left/i.test(stderr))
    return new AppError('SETUP_NO_SPACE', `the disk is full: ${said}`, {
      hint: 'make room, or set MASKWATCH_TENSORFLOW_DIR to a folder on a larger disk',
    });
  const isMissing = /no matching distribution|could not find a version/i.test(stderr);
  const isUnreached = /connection|resol|timed out|timeout|unreachable|ssl|proxy/i.test(stderr);
  const why = isUnreached || !isMissing ? 'pip cannot fetch it' : 'the package index does not have it';
  return new AppError('SETUP_DOWNLOAD_FAILED', `TensorFlow did not arrive, ${why}: ${said}`, {
    exitCode: 3,
    hint: 'see whether "python3 -m pip download tensorflow-cpu" works here; without a network give the wheels with --wheel',
  });
}

function wrongHash(path: string | undefined, message: string): AppError {
  return new AppError('SETUP_WRONG_HASH', message, {
    path,
    hint: 'the file is damaged or another one: nothing of it is used. Try again; if it comes again, do not trust the source.',
  });
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function bytesBelow(folder: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
      if (entry.isFile())
        bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // pip removes its folders while we look.
  }
  return bytes;
}
