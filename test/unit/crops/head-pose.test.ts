import { describe, expect, it } from 'vitest';
import { leanToTakeBack, pitchDegrees, rollDegrees, yawDegrees } from '../../../src/crops/head-pose.js';
import type { Landmarks } from '../../../src/domain/face.js';

const EYES = 60;
const MOUTH = EYES * 1.156;
/** Right-handed head: x to the picture's right, y down, z towards the camera. Eyes and mouth in one plane, the nose before it. */
const HEAD = [
  [-EYES / 2, 0, 0],
  [EYES / 2, 0, 0],
  [0, 0.494 * MOUTH, EYES / 2],
  [-20, MOUTH, 0],
  [20, MOUTH, 0],
] as const;

/** The head turned by yaw, then nodded (seen from above where positive), then rolled, seen from far away. */
function seen(yaw: number, pitch: number, roll = 0): Landmarks {
  const [a, b, c] = [yaw, pitch, roll].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  return HEAD.map(([x, y, z]) => {
    const x1 = x * Math.cos(a) + z * Math.sin(a);
    const z1 = z * Math.cos(a) - x * Math.sin(a);
    const y2 = y * Math.cos(b) + z1 * Math.sin(b);
    return { x: 300 + x1 * Math.cos(c) - y2 * Math.sin(c), y: 200 + x1 * Math.sin(c) + y2 * Math.cos(c) };
  }) as unknown as Landmarks;
}

describe('head pose from five landmarks', () => {
  it.each([-60, -30, 0, 20, 45])('finds a turn of %i° to a side', (yaw) => {
    expect(yawDegrees(seen(yaw, 0))).toBeCloseTo(Math.abs(yaw), 5);
    expect(pitchDegrees(seen(0, 0))).toBeCloseTo(0, 5);
  });

  it.each([-40, -15, 10, 35, 60])('finds that a face is seen from %i° above', (pitch) => {
    expect(pitchDegrees(seen(0, pitch))).toBeCloseTo(pitch, 5);
    expect(yawDegrees(seen(0, pitch))).toBeCloseTo(0, 5);
  });

  it('does not mind a head that is tilted', () => {
    expect(yawDegrees(seen(35, 0, 40))).toBeCloseTo(35, 5);
    expect(pitchDegrees(seen(0, 25, -50))).toBeCloseTo(25, 5);
  });

  it('calls what has no extent turned away', () => {
    const point = { x: 5, y: 5 };
    const nothing: Landmarks = [point, point, point, point, point];
    expect(yawDegrees(nothing)).toBe(90);
    expect(pitchDegrees(nothing)).toBe(90);
  });

  it.each([-170, -90, -35, -8, 0, 20, 65, 180])(
    'finds that a head leans by %i°, turned or nodding',
    (roll) => {
      const off = (degrees: number) => Math.abs(((degrees - roll + 540) % 360) - 180);
      expect(off(rollDegrees(seen(0, 0, roll)))).toBeLessThan(1e-6);
      expect(off(rollDegrees(seen(60, 0, roll)))).toBeLessThan(1e-6);
      expect(off(rollDegrees(seen(0, 30, roll)))).toBeLessThan(1e-6);
      // Turned and nodding at once shears the face; the eyes alone would be off by 16°.
      expect(off(rollDegrees(seen(30, 30, roll)))).toBeLessThan(7);
    },
  );

  it('knows the lean of a full profile, whose eyes lie in one', () => {
    expect(rollDegrees(seen(90, 0, 40))).toBeCloseTo(40, 5);
  });

  it('takes a lean back from a limit on, where it is known and the model wants it', () => {
    expect(leanToTakeBack(-12, 10)).toBe(-12);
    expect(leanToTakeBack(10, 10)).toBe(10);
    expect(leanToTakeBack(9.9, 10)).toBe(0);
    expect(leanToTakeBack(undefined, 10)).toBe(0);
    expect(leanToTakeBack(40, null)).toBe(0);
  });
});
