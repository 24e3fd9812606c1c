import { setTimeout } from 'node:timers/promises';
import { ManualClock, systemClock } from '../../src/lib/clock.js';
import { clockContract } from './clock.suite.js';

clockContract('the system clock', () => ({
  clock: systemClock,
  // Its time passes by itself; to let it is the only way.
  pass: (ms) => setTimeout(ms),
}));

clockContract('the manual clock', () => {
  const clock = new ManualClock();
  return {
    clock,
    pass: async (ms) => {
      clock.advance(ms);
      // What awaited a sleep runs before the next step.
      await Promise.resolve();
      await Promise.resolve();
    },
  };
});
