import type { Random } from '../../lib/random.js';

export interface RecolourRange {
  /** Greatest change of brightness as a factor, e.g. 1.5: from 1/1.5 to 1.5. */
  readonly brightness: number;
  readonly gamma: number;
  /** Greatest change of one colour channel against the others, as a factor. */
  readonly cast: number;
  /** Chance of a grey picture (infrared cameras at night). */
  readonly greyChance: number;
  /** Greatest standard deviation of noise, in steps of 0…255. */
  readonly maxNoise: number;
}

/** Other light and another sensor, in place. `pixels`: rgb24, interleaved, 0…255. */
export function recolour(pixels: Uint8Array, range: RecolourRange, random: Random): void {
  const gain = factor(range.brightness, random);
  const gamma = factor(range.gamma, random);
  const tables = [0, 1, 2].map(() => {
    const channelGain = gain * factor(range.cast, random);
    return Uint8ClampedArray.from({ length: 256 }, (_, v) => 255 * channelGain * (v / 255) ** gamma);
  });
  const isGrey = random.chance(range.greyChance);
  const noise = random.chance(0.3) ? random.between(0, range.maxNoise) : 0;
  for (let i = 0; i < pixels.length; i += 3) {
    let r = tables[0]![pixels[i]!]!;
    let g = tables[1]![pixels[i + 1]!]!;
    let b = tables[2]![pixels[i + 2]!]!;
    if (isGrey) {
      r = 0.299 * r + 0.587 * g + 0.114 * b;
      g = r;
      b = r;
    }
    const shift = noise === 0 ? 0 : random.normal() * noise;
    pixels[i] = clampByte(r + shift);
    pixels[i + 1] = clampByte(g + shift);
    pixels[i + 2] = clampByte(b + shift);
  }
}

/** Turns a square rgb24 picture about its centre, bilinear; corners repeat the edge. */
export function rotateSquare(source: Uint8Array, sidePx: number, degrees: number, target: Uint8Array): void {
  const radians = (degrees * Math.PI) / 180;
  const cos = Math.cos(radians);
  const sin = Math.sin(radians);
  const centre = (sidePx - 1) / 2;
  for (let y = 0; y < sidePx; y++)
    for (let x = 0; x < sidePx; x++) {
      const dx = x - centre;
      const dy = y - centre;
      const sx = Math.min(Math.max(centre + cos * dx + sin * dy, 0), sidePx - 1);
      const sy = Math.min(Math.max(centre - sin * dx + cos * dy, 0), sidePx - 1);
      const x0 = Math.min(Math.floor(sx), sidePx - 2);
      const y0 = Math.min(Math.floor(sy), sidePx - 2);
      const fx = sx - x0;
      const fy = sy - y0;
      const at = (y0 * sidePx + x0) * 3;
      for (let c = 0; c < 3; c++) {
        const top = source[at + c]! * (1 - fx) + source[at + 3 + c]! * fx;
        const below = at + sidePx * 3 + c;
        const bottom = source[below]! * (1 - fx) + source[below + 3]! * fx;
        target[(y * sidePx + x) * 3 + c] = Math.round(top * (1 - fy) + bottom * fy);
      }
    }
}

function factor(most: number, random: Random): number {
  return most ** random.between(-1, 1);
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}
