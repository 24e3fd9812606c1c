import { flipHorizontally, swapPixels } from '../../crops/mirror.js';
import type { Random } from '../../lib/random.js';
import type { LiveAugmentation } from '../recipes/fine-tune-recipe.js';

const tables = [new Uint8ClampedArray(256), new Uint8ClampedArray(256), new Uint8ClampedArray(256)] as const;

/**
 * Changes a crop in place, anew each time it is used: mirrored, another light, a part hidden; one without a face also
 * on its side or upside down. rgb24, 0…255.
 */
export function augmentLive(
  pixels: Uint8Array,
  sidePx: number,
  isFace: boolean,
  rules: LiveAugmentation,
  random: Random,
): void {
  if (!isFace && random.chance(rules.turnFacelessChance)) {
    // With the mirroring below these make all quarter turns, without the seams of other angles.
    if (random.chance(0.5)) transpose(pixels, sidePx);
    if (random.chance(0.5)) turnUpsideDown(pixels);
  }
  if (random.chance(rules.flipChance)) flipHorizontally(pixels, sidePx, sidePx);
  const gain = rules.brightness ** random.between(-1, 1);
  const contrast = rules.contrast ** random.between(-1, 1);
  for (const table of tables) {
    const channelGain = gain * rules.cast ** random.between(-1, 1);
    for (let value = 0; value < 256; value++) table[value] = ((value - 128) * contrast + 128) * channelGain;
  }
  const [red, green, blue] = tables;
  if (random.chance(rules.greyChance))
    for (let i = 0; i < pixels.length; i += 3) {
      const grey = 0.299 * pixels[i]! + 0.587 * pixels[i + 1]! + 0.114 * pixels[i + 2]!;
      const value = green[Math.round(grey)]!;
      pixels[i] = value;
      pixels[i + 1] = value;
      pixels[i + 2] = value;
    }
  else
    for (let i = 0; i < pixels.length; i += 3) {
      pixels[i] = red[pixels[i]!]!;
      pixels[i + 1] = green[pixels[i + 1]!]!;
      pixels[i + 2] = blue[pixels[i + 2]!]!;
    }
  if (random.chance(rules.erase.chance)) erase(pixels, sidePx, rules.erase.maxSide, random);
}

/** Rows become columns. */
function transpose(pixels: Uint8Array, sidePx: number): void {
  for (let y = 1; y < sidePx; y++)
    for (let x = 0; x < y; x++) swapPixels(pixels, (y * sidePx + x) * 3, (x * sidePx + y) * 3);
}

/** By half a turn. */
function turnUpsideDown(pixels: Uint8Array): void {
  for (let at = 0, other = pixels.length - 3; at < other; at += 3, other -= 3) swapPixels(pixels, at, other);
}

/** A rectangle of one colour (Zhong et al., 2020, "Random erasing"), as a hand or another's shoulder hides a part. */
function erase(pixels: Uint8Array, sidePx: number, maxSide: number, random: Random): void {
  const side = () => Math.max(1, Math.round(random.between(0.1, Math.max(0.1, maxSide)) * sidePx));
  const [width, height] = [side(), side()];
  const left = random.index(sidePx - width + 1);
  const top = random.index(sidePx - height + 1);
  const colour = [random.index(256), random.index(256), random.index(256)];
  for (let y = top; y < top + height; y++)
    for (let at = (y * sidePx + left) * 3, end = at + width * 3; at < end; at++)
      pixels[at] = colour[(at - end + width * 3) % 3]!;
}
