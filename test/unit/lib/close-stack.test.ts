import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { CloseStack } from '../../../src/lib/close-stack.js';

describe('CloseStack', () => {
  it('closes in reverse, one after the other, once', async () => {
    const order: string[] = [];
    const stack = new CloseStack(() => {});
    stack.push('first', () => order.push('first'));
    stack.push('second', async () => {
      await Promise.resolve();
      order.push('second');
    });
    expect(stack.isClosing).toBe(false);
    await Promise.all([stack.close(), stack.close()]);
    expect(order).toEqual(['second', 'first']);
    expect(stack.isClosing).toBe(true);
  });

  it('tells what failed and closes the rest', async () => {
    const failed: string[] = [];
    const closed: string[] = [];
    const stack = new CloseStack((name, error) => failed.push(`${name}: ${String(error)}`));
    stack.push('good', () => closed.push('good'));
    stack.push('bad', () => {
      throw new Error('no');
    });
    await stack.close();
    expect(failed).toEqual(['bad: Error: no']);
    expect(closed).toEqual(['good']);
    expect(stack.leftBehind).toEqual([]);
  });

  it('leaves behind what does not close in its time, tells it, and closes the rest', async () => {
    const clock = new ManualClock();
    const failed: [string, unknown][] = [];
    const closed: string[] = [];
    const stack = new CloseStack((...what) => failed.push(what), clock);
    stack.push('good', () => closed.push('good'));
    stack.push('hung', () => new Promise(() => {}), 5000);
    const closing = stack.close();
    clock.advance(4999);
    expect(stack.leftBehind).toEqual([]);
    clock.advance(1);
    await closing;
    expect(failed).toMatchObject([['hung', { code: 'CLOSE_TIMED_OUT' }]]);
    expect(stack.leftBehind).toEqual(['hung']);
    expect(closed).toEqual(['good']);
    expect(clock.pendingCount).toBe(0);
  });

  it('does not wait for the time of what is closed', async () => {
    const clock = new ManualClock();
    const stack = new CloseStack(() => {}, clock);
    stack.push('quick', () => {});
    await stack.close();
    expect(clock.pendingCount).toBe(0);
  });
});
