import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CliResult, finished } from '../support/run-cli.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
let checkout: string;

/** A checkout with the real bin and build script and one source file. */
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'maskwatch-bin-'));
  for (const folder of ['bin', 'src', 'scripts']) mkdirSync(join(checkout, folder));
  for (const file of ['bin/maskwatch.js', 'scripts/build.js', 'tsconfig.json', 'package.json'])
    cpSync(join(root, file), join(checkout, file));
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
});
afterAll(() => rmSync(checkout, { recursive: true }));

/** Writes the source with a time of its own: file systems may round to whole seconds. */
function writeMain(text: string, ageSeconds: number): void {
  const file = join(checkout, 'src', 'main.ts');
  writeFileSync(file, text);
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(file, at, at);
}

function run(env: Record<string, string> = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [join(checkout, 'bin', 'maskwatch.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return finished(child);
}

it('builds on first use, once for several starts, and again when a source is newer', async () => {
  writeMain("console.log('one');\n", 60);
  const [a, b] = await Promise.all([run(), run()]);
  expect([a, b]).toMatchObject([
    { code: 0, stdout: 'one\n' },
    { code: 0, stdout: 'one\n' },
  ]);
  expect(`${a.stderr}${b.stderr}`).toBe('maskwatch: building the service …\n');
  expect(await run()).toMatchObject({ code: 0, stdout: 'one\n', stderr: '' });

  writeMain("console.log('two');\n", -60);
  expect(await run({ MASKWATCH_BUILD: 'never' })).toMatchObject({ code: 0, stdout: 'one\n', stderr: '' });
  expect(await run()).toMatchObject({
    code: 0,
    stdout: 'two\n',
    stderr: expect.stringContaining('building'),
  });
});

it('does not run a build that failed', async () => {
  writeMain("console.log('three' satisfies number);\n", -120);
  const result = await run();
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expect(result.stderr).toMatch(/main\.ts.*error TS/);
  expect(result.stderr).toMatch(/building the service failed\n {2}hint:/);
  expect((await run()).code).toBe(1);
});

it('forgets what was built from a source that is gone', async () => {
  writeFileSync(join(checkout, 'src', 'gone.ts'), 'export const gone = 1;\n');
  writeMain("console.log('four');\n", -180);
  await run();
  rmSync(join(checkout, 'src', 'gone.ts'));
  writeMain(
    "import { existsSync } from 'node:fs';\nconsole.log(existsSync(new URL('gone.js', import.meta.url)));\n",
    -240,
  );
  expect((await run()).stdout).toBe('false\n');
});

it.each([
  ['20.18.3', 3],
  ['20.19.0', 0],
  ['22.11.0', 3],
  ['23.11.0', 3],
  ['24.0.0', 0],
])('on Node %s exits with %i', async (version, code) => {
  writeMain('', 60);
  const versions = `{value:{...process.versions,node:'${version}'}}`;
  const script = `Object.defineProperty(process,'versions',${versions})`;
  const result = await run({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` });
  expect(result.code).toBe(code);
  if (code === 3) expect(result.stderr).toContain(`Node ${version} is not supported`);
});
