import { describe, expect, it } from 'vitest';
import { chooseBatchSize } from '../../../src/classification/choose-batch-size.js';

describe('chooseBatchSize', () => {
  it.each([
    ['a core on which a batch does not pay', { 1: 4.7, 2: 10.4, 4: 21, 8: 43 }, 1],
    ['a gain of less than 5 %, not worth the wait', { 1: 5, 2: 9.6, 4: 19.1, 8: 38.2 }, 1],
    ['a gain that ends at 4', { 1: 5, 2: 8, 4: 12, 8: 23.5 }, 4],
    ['a GPU', { 1: 2, 2: 2.1, 4: 2.2, 8: 2.4 }, 8],
    ['nothing measured', {}, 1],
    ['a measurement that is no number', { 1: 5, 2: Number.NaN }, 1],
  ])('%s', (_, measured, expected) => {
    expect(chooseBatchSize(measured)).toBe(expected);
  });
});
