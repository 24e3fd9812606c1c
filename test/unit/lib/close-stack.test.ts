import { describe, expect, it } from 'vitest';
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
  });
});
