import { expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { RepeatSummary } from '../../../src/observability/repeat-summary.js';

function make(maxKeys = 100) {
  const clock = new ManualClock();
  const told: string[] = [];
  const summary = new RepeatSummary({
    clock,
    maxKeys,
    first: (key) => told.push(key),
    again: (key, count, periodMs) => told.push(`${key} ×${count} in ${periodMs / 1000} s`),
  });
  return { clock, told, summary };
}

it('tells the first at once, the others as a count a minute, and a fault that stayed away anew', () => {
  const { clock, told, summary } = make();
  for (let n = 0; n < 500; n += 1) {
    summary.add('gate refused');
    clock.advance(200);
  }
  expect(told).toEqual(['gate refused', 'gate refused ×299 in 60 s']);
  clock.advance(20_000);
  expect(told.at(-1)).toBe('gate refused ×200 in 60 s');
  clock.advance(60_000);
  summary.add('gate refused');
  expect(told.slice(3)).toEqual(['gate refused']);
  summary.close();
});

it('hands on the error of the first, for its stack', () => {
  const errors: unknown[] = [];
  const summary = new RepeatSummary({
    clock: new ManualClock(),
    first: (_key, error) => errors.push(error),
    again: () => {},
  });
  const error = new Error('no');
  summary.add('gate refused', error);
  summary.add('gate refused', new Error('again'));
  expect(errors).toEqual([error]);
  summary.close();
});

it('keeps faults apart, and remembers a bounded number of them', () => {
  const { told, summary } = make(2);
  summary.add('a');
  summary.add('a');
  summary.add('b');
  summary.add('c');
  expect(told).toEqual(['a', 'b', 'a ×1 in 60 s', 'c']);
  summary.add('c');
  summary.close();
  expect(told.at(-1)).toBe('c ×1 in 60 s');
});
