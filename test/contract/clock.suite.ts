import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/lib/clock.js';

/** What every {@link Clock} does. `pass` lets at least `ms` of the clock's time go by, with what falls due in it. */
export function clockContract(
  name: string,
  open: () => { readonly clock: Clock; readonly pass: (ms: number) => Promise<void> },
): void {
  describe(`${name} keeps the contract of a clock`, () => {
    const running: Disposable[] = [];
    afterEach(() => {
      for (const timer of running.splice(0)) timer[Symbol.dispose]();
    });

    it('goes forward on both clocks, the wall clock in ms since 1970', async () => {
      const { clock, pass } = open();
      const [monotonicMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
      expect(wallMs).toBeGreaterThan(Date.UTC(2020, 0));
      await pass(20);
      // Timers of Node may be a millisecond early.
      expect(clock.monotonicMs() - monotonicMs).toBeGreaterThanOrEqual(19);
      expect(clock.wallMs() - wallMs).toBeGreaterThan(0);
    });

    it('wakes sleepers in the order of their deadlines, none too early', async () => {
      const { clock, pass } = open();
      const startMs = clock.monotonicMs();
      const woken: { delayMs: number; afterMs: number }[] = [];
      const sleeping = [60, 20, 40].map(async (delayMs) => {
        await clock.sleep(delayMs);
        woken.push({ delayMs, afterMs: clock.monotonicMs() - startMs });
      });
      await pass(60);
      await Promise.all(sleeping);
      expect(woken.map(({ delayMs }) => delayMs)).toEqual([20, 40, 60]);
      for (const { delayMs, afterMs } of woken) expect(afterMs).toBeGreaterThanOrEqual(delayMs - 1);
    });

    it('rejects a sleep with the reason of the signal, before it and in it', async () => {
      const { clock } = open();
      const reason = new Error('enough');
      await expect(clock.sleep(3_600_000, AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const sleeping = clock.sleep(3_600_000, controller.signal);
      controller.abort(reason);
      await expect(sleeping).rejects.toBe(reason);
    });

    it('calls again and again until it is disposed, also from within the call', async () => {
      const { clock, pass } = open();
      let calls = 0;
      const timer = clock.every(10, () => {
        calls += 1;
        if (calls === 3) timer[Symbol.dispose]();
      });
      running.push(timer);
      while (calls < 3) await pass(10);
      await pass(50);
      expect(calls).toBe(3);
    });
  });
}
