import { describe, expect, it } from 'vitest';
import { faceSharpness, SHARPNESS_SIDE_PX } from '../../../src/crops/sharpness.js';

/** A grey picture drawn by a function of the position within the unit square. */
function picture(side: number, level: (u: number, v: number) => number) {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = level((x + 0.5) / side, (y + 0.5) / side);
      data.fill(value, (y * side + x) * 3, (y * side + x) * 3 + 3);
    }
  }
  return { data, width: side, height: side };
}

const whole = (side: number) => ({ x: 0, y: 0, width: side, height: side });
const waves = (u: number, v: number) => 128 + 60 * Math.sin(u * 30) * Math.cos(v * 26);
const soft = (u: number, v: number) => 128 + 60 * Math.sin(u * 6) * Math.cos(v * 5);

describe('faceSharpness', () => {
  it('is 0 for a flat picture', () => {
    expect(
      faceSharpness(
        picture(64, () => 90),
        whole(64),
      ),
    ).toBe(0);
  });

  it('is the variance of the Laplacian of the luminance', () => {
    const side = SHARPNESS_SIDE_PX;
    const source = picture(side, waves);
    const grey = (x: number, y: number) => source.data[(y * side + x) * 3]!;
    const values: number[] = [];
    for (let y = 1; y < side - 1; y++) {
      for (let x = 1; x < side - 1; x++) {
        values.push(grey(x - 1, y) + grey(x + 1, y) + grey(x, y - 1) + grey(x, y + 1) - 4 * grey(x, y));
      }
    }
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const measured = faceSharpness(source, whole(side));
    expect(Math.abs(measured - variance) / variance).toBeLessThan(1e-3);
  });

  it('is higher for a sharper picture', () => {
    expect(faceSharpness(picture(96, waves), whole(96))).toBeGreaterThan(
      10 * faceSharpness(picture(96, soft), whole(96)),
    );
  });

  it('compares between sizes: the same picture at 64 and at 320 pixels measures alike', () => {
    const small = faceSharpness(picture(64, waves), whole(64));
    const large = faceSharpness(picture(320, waves), whole(320));
    expect(Math.abs(small - large) / large).toBeLessThan(0.1);
  });
});
