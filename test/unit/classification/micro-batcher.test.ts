import { describe, expect, it } from 'vitest';
import { type BatchReport, MicroBatcher } from '../../../src/classification/micro-batcher.js';
import { ManualClock } from '../../../src/lib/clock.js';

interface Call {
  readonly items: readonly number[];
  succeed(): void;
  fail(code: string): void;
  throwError(error: Error): void;
  answer(results: readonly string[]): void;
}

type RunResult =
  | { ok: true; results: readonly string[]; inferenceMs: number }
  | { ok: false; error: { code: string; message: string; retryable: boolean } };

function setUp(
  options: { maxSize?: number; maxAgeMs?: number; maxRunning?: number; maxQueue?: number } = {},
) {
  const clock = new ManualClock();
  const calls: Call[] = [];
  const reports: BatchReport[] = [];
  let drops = 0;
  const batcher = new MicroBatcher<number, string>({
    clock,
    maxSize: options.maxSize ?? 3,
    maxAgeMs: options.maxAgeMs ?? 10,
    maxRunning: options.maxRunning ?? 1,
    maxQueue: options.maxQueue ?? 100,
    run: (items) =>
      new Promise<RunResult>((resolve, reject) => {
        calls.push({
          items,
          succeed: () => resolve({ ok: true, results: items.map((item) => `r${item}`), inferenceMs: 2 }),
          fail: (code) => resolve({ ok: false, error: { code, message: code, retryable: true } }),
          throwError: reject,
          answer: (results) => resolve({ ok: true, results, inferenceMs: 2 }),
        });
      }),
    onBatch: (report) => reports.push(report),
    onDrop: () => drops++,
  });
  return { batcher, clock, calls, reports, drops: () => drops };
}

/** Lets every promise that can settle do so. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('MicroBatcher', () => {
  it('closes a batch by size at once', async () => {
    const { batcher, calls, reports } = setUp();
    const results = [1, 2, 3].map((item) => batcher.submit(item));
    expect(calls.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    calls[0]!.succeed();
    expect(await Promise.all(results)).toEqual([
      { ok: true, value: 'r1' },
      { ok: true, value: 'r2' },
      { ok: true, value: 'r3' },
    ]);
    expect(reports).toEqual([{ size: 3, waitMs: 0, inferenceMs: 2, ok: true, closedBy: 'size' }]);
  });

  it('closes a batch by the age of its first item', async () => {
    const { batcher, clock, calls, reports } = setUp();
    const first = batcher.submit(1);
    clock.advance(6);
    const second = batcher.submit(2);
    await settle();
    clock.advance(3.9);
    await settle();
    expect(calls).toHaveLength(0);
    clock.advance(0.1);
    await settle();
    expect(calls.map(({ items }) => items)).toEqual([[1, 2]]);
    clock.advance(5);
    calls[0]!.succeed();
    expect(await first).toEqual({ ok: true, value: 'r1' });
    expect(await second).toEqual({ ok: true, value: 'r2' });
    expect(reports).toEqual([{ size: 2, waitMs: 10, inferenceMs: 2, ok: true, closedBy: 'age' }]);
    expect(clock.pendingCount).toBe(0);
  });

  it('with an age of 0 gathers what comes in one turn', async () => {
    const { batcher, calls } = setUp({ maxAgeMs: 0 });
    void batcher.submit(1);
    void batcher.submit(2);
    expect(calls).toHaveLength(0);
    await settle();
    expect(calls.map(({ items }) => items)).toEqual([[1, 2]]);
  });

  it('lets items wait while as many batches run as may, then takes fuller batches', async () => {
    const { batcher, clock, calls } = setUp({ maxSize: 4, maxRunning: 1 });
    void batcher.submit(1);
    clock.advance(10);
    await settle();
    for (const item of [2, 3, 4]) void batcher.submit(item);
    clock.advance(50);
    await settle();
    expect(calls.map(({ items }) => items)).toEqual([[1]]);
    expect(batcher.queueSize).toBe(3);
    calls[0]!.succeed();
    await settle();
    expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
    expect(batcher.queueSize).toBe(0);
  });

  it('runs as many batches at once as there are workers', () => {
    const { batcher, calls } = setUp({ maxSize: 2, maxRunning: 2 });
    for (const item of [1, 2, 3, 4, 5, 6]) void batcher.submit(item);
    expect(calls.map(({ items }) => items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(batcher.queueSize).toBe(2);
  });

  it('drops the oldest waiting item when the queue is full, and counts it', async () => {
    const { batcher, calls, drops } = setUp({ maxSize: 1, maxRunning: 1, maxQueue: 2 });
    void batcher.submit(1);
    const second = batcher.submit(2);
    void batcher.submit(3);
    expect(drops()).toBe(0);
    void batcher.submit(4);
    expect(drops()).toBe(1);
    expect(await second).toMatchObject({ ok: false, error: { code: 'BATCH_QUEUE_FULL', retryable: true } });
    for (const index of [0, 1]) {
      calls[index]!.succeed();
      await settle();
    }
    expect(calls.map(({ items }) => items)).toEqual([[1], [3], [4]]);
  });

  it.each([
    ['answers with a failure', (call: Call) => call.fail('WORKER_DIED'), 'WORKER_DIED'],
    ['throws', (call: Call) => call.throwError(new Error('broken')), 'BATCH_FAILED'],
    ['answers with too few results', (call: Call) => call.answer(['r1']), 'BATCH_FAILED'],
  ])('when a batch %s only its own items fail', async (_, end, code) => {
    const { batcher, calls, reports } = setUp({ maxSize: 2 });
    const results = [1, 2, 3, 4].map((item) => batcher.submit(item));
    end(calls[0]!);
    await settle();
    calls[1]!.succeed();
    const outcomes = await Promise.all(results);
    expect(outcomes.slice(0, 2)).toMatchObject([
      { ok: false, error: { code } },
      { ok: false, error: { code } },
    ]);
    expect(outcomes.slice(2)).toEqual([
      { ok: true, value: 'r3' },
      { ok: true, value: 'r4' },
    ]);
    expect(reports).toMatchObject([
      { ok: false, errorCode: code, inferenceMs: null },
      { ok: true, inferenceMs: 2 },
    ]);
  });

  it('on close runs what waits, then refuses', async () => {
    const { batcher, clock, calls, reports } = setUp();
    const waiting = batcher.submit(1);
    const closed = batcher.close();
    expect(calls.map(({ items }) => items)).toEqual([[1]]);
    expect(await batcher.submit(2)).toMatchObject({ ok: false, error: { code: 'BATCHER_CLOSED' } });
    calls[0]!.succeed();
    await closed;
    expect(await waiting).toEqual({ ok: true, value: 'r1' });
    expect(reports[0]!.closedBy).toBe('close');
    expect(clock.pendingCount).toBe(0);
    await batcher.close();
  });
});
