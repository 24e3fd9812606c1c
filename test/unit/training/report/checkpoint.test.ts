import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/lib/random.js';
import {
  type Checkpoint,
  readCheckpoint,
  runKey,
  writeCheckpoint,
} from '../../../../src/training/report/checkpoint.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maskwatch-checkpoint-'));
  path = join(directory, 'run', 'checkpoint.bin');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const checkpoint: Checkpoint = {
  key: 'abc',
  epoch: 3,
  figures: [
    {
      epoch: 1,
      trainingLoss: 0.7,
      trainingAccuracy: null,
      validationLoss: 0.5,
      validationAccuracy: 0.9,
      learningRate: 1e-4,
      seconds: 2,
    },
  ],
  randomStates: { augmentation: 0xffff_fff0 },
  state: { wait: 2, note: 'ü' },
  tensors: new Map([
    ['a/kernel', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6.5) }],
    ['a/bias', { shape: [], data: Float32Array.of(-0.25) }],
  ]),
};

describe('checkpoint', () => {
  it('comes back as it was written, and leaves no partial file', async () => {
    await writeCheckpoint(path, { ...checkpoint, epoch: 2 });
    await writeCheckpoint(path, checkpoint);
    expect(await readCheckpoint(path, 'abc')).toEqual(checkpoint);
    expect(await readdir(join(directory, 'run'))).toEqual(['checkpoint.bin']);
  });

  it('is null where there is none', async () => {
    expect(await readCheckpoint(path, 'abc')).toBeNull();
  });

  it('is refused when it belongs to another run, is damaged or of another format', async () => {
    await writeCheckpoint(path, checkpoint);
    await expect(readCheckpoint(path, 'other')).rejects.toMatchObject({ code: 'CHECKPOINT_OTHER_RUN' });
    const bytes = await readFile(path);
    const refused = { code: 'CHECKPOINT_INVALID' };
    await writeFile(path, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
    await expect(readCheckpoint(path, 'abc')).rejects.toMatchObject(refused);
    await writeFile(path, bytes.subarray(0, 40));
    await expect(readCheckpoint(path, 'abc')).rejects.toMatchObject(refused);
    await writeFile(path, bytes.with(4, 9));
    await expect(readCheckpoint(path, 'abc')).rejects.toMatchObject(refused);
    await writeFile(path, 'no checkpoint');
    await expect(readCheckpoint(path, 'abc')).rejects.toMatchObject(refused);
  });

  it('has a key that changes with whatever decides the run', () => {
    expect(runKey({ a: 1 }, [2])).toBe(runKey({ a: 1 }, [2]));
    expect(runKey({ a: 1 }, [2])).not.toBe(runKey({ a: 1 }, [3]));
  });
});

describe('what a checkpoint keeps', () => {
  it('a random sequence goes on where it stood', () => {
    const random = seededRandom('seed');
    random.next();
    const resumed = seededRandom(random.state);
    expect([resumed.next(), resumed.normal()]).toEqual([random.next(), random.normal()]);
  });
});
