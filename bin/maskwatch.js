#!/usr/bin/env node
// Starts the command line. In a checkout it first builds what is newer than the last build.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// As in package.json: odd releases are not tested.
const isSupported = major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
if (!isSupported) {
  process.stderr.write(
    `maskwatch: Node ${process.versions.node} is not supported\n  hint: install Node 20.19, 22.12, 24 or newer\n`,
  );
  process.exit(3);
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
if (existsSync(join(root, 'scripts', 'build.js')) && process.env.MASKWATCH_BUILD !== 'never') {
  const { buildIfStale } = await import('../scripts/build.js');
  await buildIfStale();
}
await import('../dist/src/main.js');
