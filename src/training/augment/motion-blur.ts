import type { Random } from '../../lib/random.js';

/**
 * Blur of a moving head or a panning camera, in place: the mean of copies shifted along a line through a random angle.
 * `pixels`: rgb24 of a square of `sidePx`; `lengthPx`: of the line. Edges repeat.
 */
export function motionBlur(pixels: Uint8Array, sidePx: number, lengthPx: number, random: Random): void {
  const angle = random.between(0, Math.PI);
  const taps = Math.max(2, Math.round(lengthPx));
  const sums = new Uint16Array(pixels.length);
  for (let tap = 0; tap < taps; tap++) {
    const along = (tap / (taps - 1) - 0.5) * lengthPx;
    const dx = Math.round(Math.cos(angle) * along);
    const dy = Math.round(Math.sin(angle) * along);
    for (let y = 0; y < sidePx; y++) {
      const row = Math.min(Math.max(y + dy, 0), sidePx - 1) * sidePx;
      for (let x = 0; x < sidePx; x++) {
        const from = (row + Math.min(Math.max(x + dx, 0), sidePx - 1)) * 3;
        const to = (y * sidePx + x) * 3;
        sums[to]! += pixels[from]!;
        sums[to + 1]! += pixels[from + 1]!;
        sums[to + 2]! += pixels[from + 2]!;
      }
    }
  }
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.round(sums[i]! / taps);
}
