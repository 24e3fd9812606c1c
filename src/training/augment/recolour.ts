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

function factor(most: number, random: Random): number {
  return most ** random.between(-1, 1);
}

function clampByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}
