import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot, webRoot } from '../../src/lib/package-paths.js';

/** Builds the page where its sources are newer than what is built, as the command line would. */
export async function buildPage(): Promise<void> {
  const built = statSync(join(webRoot(), 'index.html'), { throwIfNoEntry: false });
  const sources = [...filesUnder(join(packageRoot(), 'web')), join(packageRoot(), 'src/publish/events.ts')];
  if (built && sources.every((path) => statSync(path).mtimeMs <= built.mtimeMs)) return;
  const vite = createRequire(import.meta.url).resolve('vite/package.json');
  await promisify(execFile)(
    process.execPath,
    [join(dirname(vite), 'bin/vite.js'), 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'],
    // vitest's own NODE_ENV would build the page for development.
    { cwd: packageRoot(), env: { ...process.env, NODE_ENV: 'production' } },
  );
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
