import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokenInputResult, tryBrokenInputs } from '../support/broken-inputs.js';
import { makeClip } from '../support/ingest-clips.js';

/* What `scripts/measure-broken-inputs.ts` prints, as a test. */

let folder: string;
let tried: Awaited<ReturnType<typeof tryBrokenInputs>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-broken-'));
  const healthyFile = await makeClip(folder, {
    ...{ name: 'healthy.mp4', width: 320, height: 180, seconds: 8, bFrames: 0 },
  });
  tried = await tryBrokenInputs({ folder, healthyFile });
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('broken addresses, options, files and streams', () => {
  it('are each told in words, or play as far as they can', () => {
    expect(tried.results.length).toBeGreaterThanOrEqual(60);
    const wrong = ({ isRight }: BrokenInputResult) => !isRight;
    expect(tried.results.filter(wrong)).toEqual([]);
    expect(tried.results.map(({ said }) => said)).not.toContain('');
  });

  it('harm neither the service nor another camera', () => {
    expect(tried.isUp).toBe(true);
    expect(tried.healthy).toMatchObject({ state: 'live', restarts: 0 });
  });
});
