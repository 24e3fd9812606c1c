import { describe, expect, it } from 'vitest';
import { StartGate } from '../../../src/ingest/start-gate.js';

const FRESH = { failures: 0 };
const RETRY = { failures: 1 };
const never = new AbortController().signal;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Enters and notes when it may start. */
function queue(gate: StartGate) {
  const order: string[] = [];
  const leave = new Map<string, () => void>();
  const enter = (name: string, kind: { failures: number }, signal = never) =>
    gate.enter(kind, signal).then(
      (done) => {
        order.push(name);
        leave.set(name, done);
      },
      () => order.push(`${name} gave up`),
    );
  return { order, leave, enter };
}

describe('StartGate', () => {
  it('lets so many start, the others in order of arrival', async () => {
    const gate = new StartGate(2);
    const { order, leave, enter } = queue(gate);
    for (const name of ['a', 'b', 'c', 'd']) void enter(name, FRESH);
    await settle();
    expect(order).toEqual(['a', 'b']);
    expect(gate.stats()).toEqual({ capacity: 2, starting: 2, waiting: 2 });
    leave.get('a')!();
    leave.get('a')!();
    await settle();
    expect(order).toEqual(['a', 'b', 'c']);
    leave.get('b')!();
    await settle();
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps places for those that did not fail', async () => {
    const gate = new StartGate(4);
    const { order, leave, enter } = queue(gate);
    for (const name of ['r1', 'r2', 'r3']) void enter(name, RETRY);
    void enter('a', FRESH);
    await settle();
    expect(order).toEqual(['r1', 'r2', 'a']);
    leave.get('a')!();
    await settle();
    expect(order).toEqual(['r1', 'r2', 'a']);
    leave.get('r2')!();
    await settle();
    expect(order).toEqual(['r1', 'r2', 'a', 'r3']);
  });

  it('lets those that failed least go first', async () => {
    const gate = new StartGate(1);
    const { order, leave, enter } = queue(gate);
    for (const failures of [0, 9, 3, 9, 0]) void enter(`${failures}`, { failures });
    for (let i = 0; i < 5; i++) {
      await settle();
      leave.get(order.at(-1)!)!();
    }
    expect(order).toEqual(['0', '0', '3', '9', '9']);
  });

  it('lets one that failed in where there is but one place', async () => {
    const { order, enter } = queue(new StartGate(1));
    void enter('r', RETRY);
    await settle();
    expect(order).toEqual(['r']);
  });

  it('forgets who gives up waiting', async () => {
    const gate = new StartGate(1);
    const { order, leave, enter } = queue(gate);
    const abort = new AbortController();
    void enter('a', FRESH);
    void enter('b', FRESH, abort.signal);
    void enter('c', FRESH);
    await settle();
    abort.abort();
    leave.get('a')!();
    await settle();
    expect(order).toEqual(['a', 'b gave up', 'c']);
    await enter('d', FRESH, abort.signal);
    expect(order.at(-1)).toBe('d gave up');
    expect(gate.stats()).toEqual({ capacity: 1, starting: 1, waiting: 0 });
  });

  it('needs at least one place', () => {
    expect(() => new StartGate(0)).toThrow(expect.objectContaining({ code: 'INGEST_GATE_SIZE' }));
  });
});
