const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** IEEE 754 binary16 bits, rounded to nearest, ties to even; beyond ±65504 becomes ±infinity. */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    floatView[0] = value;
    const bits = bitsView[0] as number;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = Math.abs(floatView[0]);
    if (Number.isNaN(magnitude)) return sign | 0x7e00;
    if (magnitude >= 65520) return sign | 0x7c00;
    // Subnormals count multiples of 2^-24; rounding up to 0x400 is the smallest normal, as it should be.
    if (magnitude < 2 ** -14) return sign | roundTiesToEven(magnitude * 2 ** 24);
    const rounded = (bits & 0x7fffffff) + 0xfff + ((bits >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  });
}

/** Numbers from IEEE 754 binary16 bits; a fresh array. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
