import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { EpochFigures } from './epoch-figures.js';
import { frameRecord } from './tf-record.js';

/** The part of TensorFlow's event.proto and summary.proto that a scalar needs, with their field numbers. */
const messages = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { id: 1, type: 'double' },
        step: { id: 2, type: 'int64' },
        fileVersion: { id: 3, type: 'string' },
        summary: { id: 5, type: 'Summary' },
      },
    },
    Summary: { fields: { value: { rule: 'repeated', id: 1, type: 'Value' } } },
    Value: { fields: { tag: { id: 1, type: 'string' }, simpleValue: { id: 2, type: 'float' } } },
  },
});
const eventType = messages.lookupType('Event');

let fileCount = 0;

/**
 * A file of scalars that TensorBoard reads: `events.out.tfevents.…` in `directory`, which is made. Every record is
 * on its way to the disk when {@link scalars} returns, so that TensorBoard can follow a run. Close it once.
 */
export class EventLog {
  readonly path: string;
  readonly #file: number;
  readonly #nowMs: () => number;

  constructor(directory: string, nowMs: () => number = Date.now) {
    mkdirSync(directory, { recursive: true });
    this.#nowMs = nowMs;
    // TensorBoard takes files of a run in the order of their names; the time comes first for that reason.
    const seconds = String(Math.floor(nowMs() / 1000)).padStart(10, '0');
    this.path = join(directory, `events.out.tfevents.${seconds}.maskwatch.${process.pid}.${fileCount++}.v2`);
    this.#file = openSync(this.path, 'a');
    this.#write({ fileVersion: 'brain.Event:2' });
  }

  /** Values by tag, all at one step. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const value = Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue }));
    this.#write({ step, summary: { value } });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(event: Readonly<Record<string, unknown>>): void {
    const message = eventType.fromObject({ wallTime: this.#nowMs() / 1000, ...event });
    writeSync(this.#file, frameRecord(eventType.encode(message).finish()));
  }
}

/**
 * A training run for TensorBoard: the runs `train` and `validation` below `directory`, with the tags of Keras's own
 * callback (`epoch_loss`, `epoch_accuracy`, `epoch_learning_rate`), so that both curves share a chart.
 */
export class TrainingBoard {
  readonly #train: EventLog;
  readonly #validation: EventLog;

  constructor(directory: string, nowMs?: () => number) {
    this.#train = new EventLog(join(directory, 'train'), nowMs);
    this.#validation = new EventLog(join(directory, 'validation'), nowMs);
  }

  epoch(figures: EpochFigures): void {
    const { epoch, learningRate } = figures;
    this.#train.scalars(epoch, {
      epoch_loss: figures.trainingLoss,
      ...(figures.trainingAccuracy === null ? {} : { epoch_accuracy: figures.trainingAccuracy }),
      epoch_learning_rate: learningRate,
    });
    this.#validation.scalars(epoch, {
      epoch_loss: figures.validationLoss,
      epoch_accuracy: figures.validationAccuracy,
      ...(figures.validationMacroF1 === undefined ? {} : { epoch_macro_f1: figures.validationMacroF1 }),
    });
  }

  close(): void {
    this.#train.close();
    this.#validation.close();
  }
}
