import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finished, startCli } from '../support/run-cli.js';

/*
 * ONNX Runtime reports to its maker unless told not to, and writes an identifier and a queue of reports below the cache
 * folder. Nothing must come of it, whichever way a command loads it: in a process (doctor) or in threads (detect).
 */

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maskwatch-telemetry-'));
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey' } })
    .jpeg()
    .toFile(join(folder, 'grey.jpg'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['doctor', ['doctor']],
  ['detect', ['detect', 'grey.jpg', '--json']],
])('%s leaves nothing of ONNX Runtime behind', async (name, args) => {
  const cache = join(folder, name);
  const paths = args.map((arg) => (arg.endsWith('.jpg') ? join(folder, arg) : arg));
  // On a build server (CI) ONNX Runtime is silent by itself: nothing would be seen.
  const unset = { CI: undefined, ORT_DISABLE_TELEMETRY: undefined, ORT_RUNNING_UNIT_TESTS: undefined };
  const env = { ...unset, XDG_CACHE_HOME: cache } as unknown as Record<string, string>;
  const { code } = await finished(startCli(paths, { env }));
  expect(code).toBe(0);
  expect(list(cache).filter((file) => !file.startsWith('maskwatch'))).toEqual([]);
});

function list(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}
