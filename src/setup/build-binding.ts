import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AppError } from '../lib/errors.js';
import type { Compiler } from './machine-check.js';
import { lastLines, runTool } from './run-tool.js';
import { NAPI_VERSION } from './tensorflow-release.js';

/** Where the package looks for its binding, relative to its folder and so to a build's. */
export const BINDING_FILE = `lib/napi-v${NAPI_VERSION}/tfjs_binding.node`;

/**
 * Gives the unpacked libraries the names that the linker and the loader ask for. Libraries of CUDA are linked beside
 * TensorFlow's as well: its own search path leads there, whichever of its two libraries opens them.
 */
export async function linkLibraries(folder: string): Promise<void> {
  const lib = join(folder, 'deps', 'lib');
  await symlink('libtensorflow_cc.so.2', join(lib, 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(lib, 'libtensorflow_framework.so'));
  const nvidia = join(folder, 'deps', 'nvidia');
  if (!existsSync(nvidia)) return;
  for (const part of await readdir(nvidia)) {
    const from = join(nvidia, part, 'lib');
    if (!existsSync(from)) continue;
    for (const library of await readdir(from))
      await symlink(`../nvidia/${part}/lib/${library}`, join(lib, library));
  }
}

export interface BuildOptions {
  /** Of the npm package with the sources (`binding/`). */
  readonly packageDir: string;
  /** Of the build, with headers and libraries under `deps/`. */
  readonly folder: string;
  readonly compiler: Compiler;
  readonly signal?: AbortSignal | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Compiles the binding. It is two C++ files against Node-API, the interface that is the same in every Node, so neither
 * node-gyp nor the headers of one Node are needed: the package node-api-headers has them. The headers of TensorFlow
 * are removed afterwards. Throws `AppError` SETUP_BUILD_FAILED.
 */
export async function buildBinding(options: BuildOptions): Promise<void> {
  const { packageDir, folder, compiler, signal, env = process.env } = options;
  const sources = join(packageDir, 'binding');
  const headers = createRequire(import.meta.url)('node-api-headers') as { include_dir: string };
  const include = join(folder, 'deps', 'include');
  await mkdir(join(folder, 'lib', `napi-v${NAPI_VERSION}`), { recursive: true });
  const files = (await readdir(sources)).filter((name) => name.endsWith('.cc')).sort();
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-w'],
    ...[`-DNAPI_VERSION=${NAPI_VERSION}`, '-DBUILDING_NODE_EXTENSION'],
    ...['-I', headers.include_dir, '-I', include],
    ...files.map((name) => join(sources, name)),
    ...['-L', join(folder, 'deps', 'lib'), '-ltensorflow', '-ltensorflow_framework'],
    // As the package's own build has it: the build's folder may be moved.
    ...['-Wl,-rpath,$ORIGIN/../../deps/lib', '-o', join(folder, BINDING_FILE)],
  ];
  const run = await runTool(compiler.command, args, { signal, env });
  if (run.exitCode !== 0) {
    const why = run.exitCode === null ? `ended by ${run.signalName}` : lastLines(run.stderr, 6);
    throw new AppError('SETUP_BUILD_FAILED', `${compiler.command} cannot build the binding: ${why}`, {
      path: sources,
      hint: `${compiler.version}; a compiler for C++17 is needed (GCC 8, Clang 7 or newer) and about 1 GB of memory`,
    });
  }
  await rm(include, { recursive: true, force: true });
}
