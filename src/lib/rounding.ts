/** To one decimal: pixels, milliseconds and rates, where more digits would only cost bytes. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** To four decimals: scores. */
export function fourDecimals(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
