/** Mirrors rgb24 pixels left to right, in place. */
export function flipHorizontally(pixels: Uint8Array, width: number, height: number): void {
  for (let y = 0; y < height; y++)
    for (let left = y * width * 3, right = left + (width - 1) * 3; left < right; left += 3, right -= 3)
      swapPixels(pixels, left, right);
}

/** Two rgb24 pixels, by their first bytes. */
export function swapPixels(pixels: Uint8Array, at: number, other: number): void {
  for (let c = 0; c < 3; c++) {
    const kept = pixels[at + c]!;
    pixels[at + c] = pixels[other + c]!;
    pixels[other + c] = kept;
  }
}
