import { readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, messageOf } from '../lib/errors.js';
import { runTool } from './run-tool.js';
import type { TensorFlowRelease } from './tensorflow-release.js';

/** What decides whether TensorFlow's wheels fit. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  /** null with musl and outside Linux. */
  readonly glibcVersion: string | null;
  /** Flags of /proc/cpuinfo; null when unknown. */
  readonly cpuFlags: readonly string[] | null;
}

export function readPlatform(): Platform {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  let cpuFlags: string[] | null = null;
  try {
    cpuFlags = /^flags\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? null;
  } catch {
    // Not Linux.
  }
  return {
    os: process.platform,
    arch: process.arch,
    glibcVersion: report.header?.glibcVersionRuntime ?? null,
    cpuFlags,
  };
}

/** Of the tag manylinux_2_27. */
const LEAST_GLIBC = [2, 27] as const;

/** Throws `AppError` SETUP_UNSUPPORTED (exit code 3) where TensorFlow's wheels cannot run. */
export function checkPlatform({ os, arch, glibcVersion, cpuFlags }: Platform): void {
  if (os !== 'linux') throw unsupported(`its libraries are for Linux, this is ${os}`);
  if (arch !== 'x64') throw unsupported(`its libraries are for x86-64, this is ${arch}`);
  if (glibcVersion === null)
    throw unsupported('it needs the GNU C library, this Linux has another one (musl)');
  const [major = 0, minor = 0] = glibcVersion.split('.').map(Number);
  if (major < LEAST_GLIBC[0] || (major === LEAST_GLIBC[0] && minor < LEAST_GLIBC[1]))
    throw unsupported(`it needs glibc ${LEAST_GLIBC.join('.')} or newer, this is ${glibcVersion}`);
  if (cpuFlags && !cpuFlags.includes('avx'))
    throw unsupported('it needs a CPU with AVX, and would crash on this one');
}

function unsupported(what: string): AppError {
  return new AppError('SETUP_UNSUPPORTED', `native TensorFlow cannot be set up here: ${what}`, {
    exitCode: 3,
    hint: 'nothing is lost: ONNX Runtime and TensorFlow.js as WebAssembly run here (maskwatch doctor)',
  });
}

/**
 * Throws `AppError` SETUP_NO_SPACE when there is not room for the wheels and what is unpacked from them at once.
 * `folder` exists.
 */
export function checkSpace(folder: string, release: TensorFlowRelease): void {
  const neededBytes =
    release.unpackedBytes + release.wheels.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= neededBytes) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new AppError(
    'SETUP_NO_SPACE',
    `TensorFlow for ${release.variant === 'cuda' ? 'CUDA' : 'CPUs'} needs ${gigabytes(neededBytes)} GB while it is set up, ${gigabytes(bavail * bsize)} GB are free`,
    { path: folder, hint: 'make room, or set MASKWATCH_TENSORFLOW_DIR to a folder on a larger disk' },
  );
}

export interface Compiler {
  readonly command: string;
  /** Its first line about itself. */
  readonly version: string;
}

/** The C++ compiler: CXX, else g++, else clang++. Throws `AppError` SETUP_TOOL_MISSING (exit code 3). */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<Compiler> {
  const candidates = env.CXX ? [env.CXX] : ['g++', 'clang++'];
  for (const command of candidates) {
    const version = await versionOf(command, env);
    if (version !== null) return { command, version };
  }
  throw new AppError(
    'SETUP_TOOL_MISSING',
    `there is no C++ compiler: ${candidates.join(' and ')} do not run`,
    {
      exitCode: 3,
      hint: 'apt-get install g++ (Debian, Ubuntu), dnf install gcc-c++ (Fedora), or set CXX',
    },
  );
}

/** Python 3 with pip, which fetches the wheels. Throws `AppError` SETUP_TOOL_MISSING (exit code 3). */
export async function findPip(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const hint =
    'apt-get install python3-pip (Debian, Ubuntu), or give the wheels that another machine fetched with --wheel';
  let hasPython = false;
  for (const command of ['python3', 'python']) {
    if ((await versionOf(command, env)) === null) continue;
    hasPython = true;
    if ((await versionOf(command, env, ['-m', 'pip', '--version'])) !== null) return command;
  }
  throw new AppError(
    'SETUP_TOOL_MISSING',
    hasPython
      ? 'Python is there but has no pip, which fetches TensorFlow'
      : 'there is no Python 3 with pip, which fetches TensorFlow',
    { exitCode: 3, hint },
  );
}

async function versionOf(
  command: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = ['--version'],
): Promise<string | null> {
  try {
    const run = await runTool(command, args, { env, timeoutMs: 20_000 });
    return run.exitCode === 0 ? ((run.stdout || run.stderr).split('\n')[0] ?? '') : null;
  } catch {
    return null;
  }
}

/** A file-system error of the set-up as an `AppError`; others as they are. */
export function fileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC')
    return new AppError('SETUP_NO_SPACE', `the disk is full: ${messageOf(error)}`, {
      cause: error,
      path,
      hint: 'make room, or set MASKWATCH_TENSORFLOW_DIR to a folder on a larger disk',
    });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new AppError('SETUP_NOT_WRITABLE', `${dirname(path)} cannot be written to: ${messageOf(error)}`, {
      cause: error,
      path,
      hint: 'run the set-up as the user who installed maskwatch, or set MASKWATCH_TENSORFLOW_DIR',
    });
  return error;
}
