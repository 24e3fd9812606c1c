import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { JsonlCache } from '../../../../src/training/dataset/jsonl-cache.js';

it('keeps results over runs and makes again what was cut off', async () => {
  const root = await mkdtemp(join(tmpdir(), 'maskwatch-cache-'));
  try {
    const first = await JsonlCache.open<number>(root, 'numbers');
    expect(await first.take('a', async () => 1)).toBe(1);
    expect(await first.take('a', async () => 99)).toBe(1);
    await first.close();
    await appendFile(join(root, 'numbers.jsonl'), '["b", 2');
    const second = await JsonlCache.open<number>(root, 'numbers');
    expect(await second.take('a', async () => 99)).toBe(1);
    expect(await second.take('b', async () => 3)).toBe(3);
    await second.close();
    const third = await JsonlCache.open<number>(root, 'numbers');
    expect(await third.take('b', async () => 99)).toBe(3);
    await third.close();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
