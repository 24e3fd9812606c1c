// Builds the service (tsc) and the page (vite). Run by `npm ci`, and by bin/maskwatch.js when sources changed.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

function run(label, packageName, binPath, args) {
  let script;
  try {
    script = join(dirname(require.resolve(`${packageName}/package.json`)), binPath);
  } catch {
    process.stderr.write(
      `maskwatch: cannot build: ${packageName} is missing; run "npm ci" without --omit=dev\n`,
    );
    process.exit(3);
  }
  process.stderr.write(`maskwatch: building ${label} …\n`);
  const result = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) process.exit(1);
}

run('the service', 'typescript', 'bin/tsc', ['-p', 'tsconfig.json']);
if (existsSync(join(root, 'web', 'index.html')))
  run('the page', 'vite', 'bin/vite.js', ['build', '--config', 'web/vite.config.ts', '--logLevel', 'warn']);
writeFileSync(join(root, 'dist', '.built'), `${new Date().toISOString()}\n`);
