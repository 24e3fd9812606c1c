import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventLog, TrainingBoard } from '../../../../src/training/report/event-log.js';
import { crc32c, frameRecord, maskedCrc32c } from '../../../../src/training/report/tf-record.js';
import { readEvents } from '../../../support/read-tf-records.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maskwatch-events-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('crc32c', () => {
  it('gives the values of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('is masked as TensorFlow does it', () => {
    const crc = 0xe3069283n;
    const expected = ((((crc >> 15n) | (crc << 17n)) & 0xffffffffn) + 0xa282ead8n) & 0xffffffffn;
    expect(maskedCrc32c(new TextEncoder().encode('123456789'))).toBe(Number(expected));
  });
});

describe('frameRecord', () => {
  it('puts length and checksums around the bytes', () => {
    const framed = frameRecord(new Uint8Array([7, 8, 9]));
    expect(framed).toHaveLength(19);
    expect([...framed.subarray(0, 8)]).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
    expect([...framed.subarray(12, 15)]).toEqual([7, 8, 9]);
  });
});

describe('EventLog', () => {
  it('writes a version and then scalars that an independent reader understands', async () => {
    const log = new EventLog(directory, () => 1_700_000_000_500);
    log.scalars(1, { epoch_loss: 0.5, epoch_accuracy: 0.75 });
    log.scalars(300, { epoch_loss: -0.25 });
    log.close();
    expect(log.path).toContain('events.out.tfevents.1700000000.');
    expect(readEvents(await readFile(log.path))).toEqual([
      { step: 0, fileVersion: 'brain.Event:2', scalars: {} },
      { step: 1, fileVersion: null, scalars: { epoch_loss: 0.5, epoch_accuracy: 0.75 } },
      { step: 300, fileVersion: null, scalars: { epoch_loss: -0.25 } },
    ]);
  });
});

describe('TrainingBoard', () => {
  it('keeps training and validation apart under one tag', async () => {
    const board = new TrainingBoard(directory);
    board.epoch({
      epoch: 1,
      trainingLoss: 1,
      trainingAccuracy: null,
      validationLoss: 2,
      validationAccuracy: 0.5,
      learningRate: 0.25,
      seconds: 1,
    });
    board.close();
    const read = async (run: string) => {
      const [name] = await readdir(join(directory, run));
      return readEvents(await readFile(join(directory, run, name!)))[1]!.scalars;
    };
    expect(await read('train')).toEqual({ epoch_loss: 1, epoch_learning_rate: 0.25 });
    expect(await read('validation')).toEqual({ epoch_loss: 2, epoch_accuracy: 0.5 });
  });
});
