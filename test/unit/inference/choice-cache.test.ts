import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  countRemembered,
  defaultCacheFile,
  type EngineMeasurement,
  recall,
  remember,
} from '../../../src/inference/choice-cache.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskwatch-choice-'));
  file = join(folder, 'not', 'there', 'engines.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function measured(day: number): EngineMeasurement {
  return {
    measuredAt: new Date(Date.UTC(2026, 0, day)).toISOString(),
    figures: [
      {
        engine: 'onnxruntime',
        device: 'auto',
        ranOn: 'cpu',
        version: '1.30.0',
        detectMs: 20 + day,
        msPerCrop: 3,
        batchSize: 4,
      },
    ],
    refusals: [{ engine: 'tfjs', device: 'cuda', reason: 'there is no GPU' }],
  };
}

function writeText(text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

it('lies in the cache folder of maskwatch', () => {
  expect(defaultCacheFile()).toMatch(/maskwatch[\\/]engines\.json$/);
});

describe('remember', () => {
  it('keeps measurements apart by key, in a folder that it makes, and no other file', async () => {
    expect(await remember(file, 'a', measured(1))).toBeNull();
    expect(await remember(file, 'b', measured(2))).toBeNull();
    expect(await recall(file, 'a')).toEqual(measured(1));
    expect(await recall(file, 'b')).toEqual(measured(2));
    expect(await recall(file, 'c')).toBeNull();
    expect(await countRemembered(file)).toBe(2);
    expect(readdirSync(dirname(file))).toEqual(['engines.json']);
  });

  it('replaces what it had under the key', async () => {
    await remember(file, 'a', measured(1));
    await remember(file, 'a', measured(2));
    expect(await recall(file, 'a')).toEqual(measured(2));
    expect(await countRemembered(file)).toBe(1);
  });

  it('lets the oldest go when there are 64', async () => {
    const days = Array.from({ length: 64 }, (_, index) => index + 1);
    // The oldest is neither the first nor the last of the file.
    const shuffled = [...days.slice(20), ...days.slice(0, 20)];
    const measurements = Object.fromEntries(shuffled.map((day) => [`day-${day}`, measured(day)]));
    writeText(JSON.stringify({ formatVersion: 1, measurements }));
    expect(await countRemembered(file)).toBe(64);
    await remember(file, 'new', measured(100));
    expect(await countRemembered(file)).toBe(64);
    expect(await recall(file, 'day-1')).toBeNull();
    expect(await recall(file, 'day-2')).toEqual(measured(2));
    expect(await recall(file, 'new')).toEqual(measured(100));
  });

  it('says why it could not, and leaves nothing half written', async () => {
    writeFileSync(join(folder, 'not'), 'a file where a folder should be');
    expect(await remember(file, 'a', measured(1))).toMatch(/ENOTDIR|EEXIST/);
    expect(await recall(file, 'a')).toBeNull();

    const isFolder = join(folder, 'engines.json');
    mkdirSync(isFolder);
    expect(await remember(isFolder, 'a', measured(1))).toMatch(/EISDIR|EPERM|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder).sort()).toEqual(['engines.json', 'not']);
  });
});

describe('a file that cannot be used', () => {
  const good = { formatVersion: 1, measurements: { a: measured(1) } };
  it.each([
    ['is cut short', JSON.stringify(good).slice(0, -10)],
    ['is of another format', JSON.stringify({ ...good, formatVersion: 2 })],
    ['has keys of its own', JSON.stringify({ ...good, more: true })],
    [
      'has a measurement without figures',
      JSON.stringify({ ...good, measurements: { a: { ...measured(1), figures: [] } } }),
    ],
    ['has an unknown engine', JSON.stringify(good).replace('onnxruntime', 'openvino')],
    ['is empty', ''],
  ])('because it %s remembers nothing, and is replaced', async (_why, text) => {
    writeText(text);
    expect(await recall(file, 'a')).toBeNull();
    expect(await countRemembered(file)).toBeNull();
    expect(await remember(file, 'b', measured(2))).toBeNull();
    expect(await recall(file, 'b')).toEqual(measured(2));
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).measurements)).toEqual(['b']);
  });

  it('is as good as none', async () => {
    expect(existsSync(file)).toBe(false);
    expect(await recall(file, 'a')).toBeNull();
    expect(await countRemembered(file)).toBeNull();
  });
});
