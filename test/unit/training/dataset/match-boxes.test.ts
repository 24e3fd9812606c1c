import { describe, expect, it } from 'vitest';
import { matchBoxes } from '../../../../src/training/dataset/match-boxes.js';

const box = (x: number) => ({ x, y: 0, width: 10, height: 10 });

describe('matchBoxes', () => {
  it('gives each label the detection that overlaps best and each detection to one label', () => {
    // The second detection overlaps both labels, the first label more.
    expect(matchBoxes([box(0), box(4)], [box(30), box(1)])).toEqual([1, null]);
    expect(matchBoxes([box(0), box(4)], [box(5), box(1)])).toEqual([1, 0]);
  });

  it('leaves alone what overlaps too little', () => {
    expect(matchBoxes([box(0)], [box(6)])).toEqual([null]);
    expect(matchBoxes([box(0)], [box(6)], 0.2)).toEqual([0]);
    expect(matchBoxes([], [box(0)])).toEqual([]);
  });
});
