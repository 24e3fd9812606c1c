import { describe, expect, it } from 'vitest';
import { BoxFilter } from '../../../src/tracking/kalman-filter.js';
import { faceAt } from './make-face.js';

const box = (x: number, y: number, width?: number) => faceAt(x, y, width).box;

describe('BoxFilter', () => {
  it('learns a constant speed and predicts along it, whatever the time steps', () => {
    const filter = new BoxFilter(box(0, 100));
    let seconds = 0;
    for (const step of [0.2, 0.2, 0.4, 0.2, 0.6, 0.1, 0.2]) {
      seconds += step;
      filter.predict(step);
      filter.update(box(200 * seconds, 100));
    }
    expect(filter.velocity.x).toBeCloseTo(200, -1);
    expect(filter.velocity.y).toBeCloseTo(0, 5);
    filter.predict(0.5);
    expect(Math.abs(filter.centre.x - 200 * (seconds + 0.5))).toBeLessThan(8);
  });

  it('comes to the same prediction in one step as in many', () => {
    const filters = [new BoxFilter(box(0, 0)), new BoxFilter(box(0, 0))] as const;
    for (const filter of filters) {
      filter.predict(0.2);
      filter.update(box(20, 5, 32));
    }
    filters[0].predict(0.3);
    for (let i = 0; i < 3; i++) filters[1].predict(0.1);
    expect(filters[0].centre.x).toBeCloseTo(filters[1].centre.x, 9);
    const [a, b] = filters.map((filter) => filter.surprise(box(35, 20)));
    // Drift is scaled by the face's size, which itself is predicted: equal but for that.
    expect(a!.distance2 / b!.distance2).toBeCloseTo(1, 1);
  });

  it('is less surprised the longer the face was not seen, and more certain once the speed is known', () => {
    const fresh = new BoxFilter(box(0, 0));
    fresh.predict(0.2);
    const freshArea = fresh.surprise(box(0, 0)).logArea;
    const steady = new BoxFilter(box(0, 0));
    for (let i = 0; i < 5; i++) {
      steady.predict(0.2);
      steady.update(box(0, 0));
    }
    steady.predict(0.2);
    const near = steady.surprise(box(30, 0));
    expect(near.logArea).toBeLessThan(freshArea);
    steady.predict(0.6);
    expect(steady.surprise(box(30, 0)).distance2).toBeLessThan(near.distance2);
  });

  it('keeps a plausible size while a shrinking face is hidden', () => {
    const filter = new BoxFilter(box(0, 0, 60));
    for (const width of [50, 40, 30]) {
      filter.predict(0.2);
      filter.update(box(0, 0, width));
    }
    const seen = filter.box.height;
    filter.predict(5);
    expect(filter.box.height).toBeGreaterThan(seen / 1.6);
    expect(filter.box.width).toBeGreaterThan(0);
  });

  it('does nothing when no time has passed', () => {
    const filter = new BoxFilter(box(10, 20));
    const before = filter.box;
    filter.predict(0);
    filter.predict(-1);
    expect(filter.box).toEqual(before);
  });
});
