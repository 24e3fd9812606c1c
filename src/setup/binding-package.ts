import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AppError } from '../lib/errors.js';
import { lastLines, runTool } from './run-tool.js';
import { BINDING_PACKAGE } from './tensorflow-release.js';

const HINT = 'run "npm ci" again, without --omit=optional';

/**
 * Makes sure that the npm package is there, in the version that the binding is built for, with all that it requires.
 * npm before version 11 runs its install script, which fetches from outside the registry, and leaves the package out
 * when that fails; it is then fetched alone, its hash compared and its script never run.
 * Throws `AppError` SETUP_PACKAGE_MISSING (exit code 3), SETUP_WRONG_HASH.
 */
export async function ensureBindingPackage(
  packageDir: string,
  tempDir: string,
  signal?: AbortSignal,
): Promise<void> {
  if (versionOf(packageDir) !== BINDING_PACKAGE.version) await fetchPackage(packageDir, tempDir, signal);
  const missing = missingRequirements(packageDir);
  if (missing.length === 0) return;
  throw new AppError(
    'SETUP_PACKAGE_MISSING',
    `${BINDING_PACKAGE.name} requires ${missing.join(', ')}, which npm did not install`,
    { exitCode: 3, hint: HINT },
  );
}

async function fetchPackage(packageDir: string, tempDir: string, signal?: AbortSignal): Promise<void> {
  const { name, version, integrity } = BINDING_PACKAGE;
  const folder = join(tempDir, 'package');
  await mkdir(folder, { recursive: true });
  const spec = `${name}@${version}`;
  const args = ['pack', spec, '--pack-destination', folder, '--json', '--loglevel', 'error'];
  const packed = await runTool('npm', args, { cwd: folder, signal }).catch(() => null);
  signal?.throwIfAborted();
  if (packed?.exitCode !== 0)
    throw new AppError(
      'SETUP_PACKAGE_MISSING',
      `${spec} is not installed, and npm does not get it: ${lastLines(packed?.stderr ?? 'npm does not run')}`,
      { exitCode: 3, hint: HINT },
    );
  const archive = join(folder, (JSON.parse(packed.stdout) as [{ filename: string }])[0].filename);
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== integrity)
    throw new AppError('SETUP_WRONG_HASH', `${spec} has ${found}, expected ${integrity}`, { path: archive });
  const unpacked = await runTool('tar', ['-xzf', archive, '-C', folder], { signal });
  if (unpacked.exitCode !== 0)
    throw new AppError('SETUP_PACKAGE_MISSING', `tar cannot unpack ${spec}: ${lastLines(unpacked.stderr)}`, {
      exitCode: 3,
    });
  await mkdir(dirname(packageDir), { recursive: true });
  await rm(packageDir, { recursive: true, force: true });
  await rename(join(folder, 'package'), packageDir);
}

function versionOf(packageDir: string): string | null {
  try {
    const text = readFileSync(join(packageDir, 'package.json'), 'utf8');
    return existsSync(join(packageDir, 'binding')) ? (JSON.parse(text) as { version: string }).version : null;
  } catch {
    return null;
  }
}

function missingRequirements(packageDir: string): string[] {
  const text = readFileSync(join(packageDir, 'package.json'), 'utf8');
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  const require = createRequire(join(packageDir, 'package.json'));
  return Object.keys(dependencies).filter((name) => {
    const folders = require.resolve.paths(name) ?? [];
    return !folders.some((folder) => existsSync(join(folder, name, 'package.json')));
  });
}
