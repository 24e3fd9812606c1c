// Builds the service (tsc) and the page (vite). Run by `npm ci`, and by bin/maskwatch.js when sources changed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const stampFile = join(root, 'dist', '.built');
const lockFolder = join(root, 'dist', '.building');
const SOURCES = ['src', 'workers', 'web', 'tsconfig.json', 'package-lock.json', 'scripts/build.js'];

function run(label, packageName, binPath, args) {
  let script;
  try {
    script = join(dirname(require.resolve(`${packageName}/package.json`)), binPath);
  } catch {
    throw new BuildError(
      3,
      `cannot build: ${packageName} is missing`,
      'run "npm ci" without --omit=dev, or "npm ci" for the first time',
    );
  }
  process.stderr.write(`maskwatch: building ${label} …\n`);
  const result = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0)
    throw new BuildError(1, `building ${label} failed`, 'the messages above say where');
}

class BuildError extends Error {
  constructor(exitCode, message, hint) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

function build() {
  // The stamp bears the time before the build: what is edited meanwhile is newer and is built next time.
  const startedAt = new Date().toISOString();
  rmSync(stampFile, { force: true });
  pruneOutputs('src');
  pruneOutputs('workers');
  run('the service', 'typescript', 'bin/tsc', ['-p', 'tsconfig.json']);
  if (existsSync(join(root, 'web', 'index.html')))
    run('the page', 'vite', 'bin/vite.js', ['build', '--config', 'web/vite.config.ts', '--logLevel', 'warn']);
  writeFileSync(stampFile, `${startedAt}\n`);
}

/** Removes what was built from sources that are gone: a stale command file would still be a command. */
function pruneOutputs(folder) {
  const built = join(root, 'dist', folder);
  if (!existsSync(built)) return;
  for (const entry of readdirSync(built, { recursive: true, encoding: 'utf8' })) {
    const source = entry.replace(/(\.d\.ts|\.js)(\.map)?$/, '');
    if (source === entry) continue;
    const isThere = ['.ts', '.tsx'].some((ending) => existsSync(join(root, folder, source + ending)));
    if (!isThere) rmSync(join(built, entry), { force: true });
  }
}

function isStale() {
  if (!existsSync(stampFile) || !existsSync(join(root, 'dist', 'src', 'main.js'))) return true;
  const builtMs = Date.parse(readFileSync(stampFile, 'utf8').trim());
  return Number.isNaN(builtMs) || SOURCES.some((path) => newestMs(join(root, path)) > builtMs);
}

function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let newest = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    newest = Math.max(newest, newestMs(join(path, entry.name)));
  }
  return newest;
}

/** Builds while nobody else does: two commands started together must not write into each other's output. */
async function buildLocked(isNeeded) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  for (;;) {
    try {
      mkdirSync(lockFolder);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isOwnerAlive()) rmSync(lockFolder, { recursive: true, force: true });
    await sleep(100);
  }
  try {
    writeFileSync(join(lockFolder, 'pid'), String(process.pid));
    if (isNeeded()) build();
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}

function isOwnerAlive() {
  try {
    const pid = Number(readFileSync(join(lockFolder, 'pid'), 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    // No pid yet: alive for the moment between the two writes, left over after that.
    const stat = statSync(lockFolder, { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs < 5000;
  }
}

async function main(isNeeded) {
  try {
    await buildLocked(isNeeded);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stderr.write(`maskwatch: ${error.message}\n  hint: ${error.hint}\n`);
    process.exit(error.exitCode);
  }
}

export async function buildIfStale() {
  if (isStale()) await main(isStale);
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) await main(() => true);
