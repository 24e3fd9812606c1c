/**
 * TensorFlow's record framing (tensorflow/core/lib/io/record_writer.h): length as uint64, masked CRC of the length,
 * the bytes, masked CRC of the bytes; all little-endian. CRC is CRC-32C (Castagnoli, RFC 3720 appendix B.4).
 */

const CASTAGNOLI_REVERSED = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CASTAGNOLI_REVERSED : value >>> 1;
  return value;
});

/** CRC-32C of all bytes, an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/** Rotated right by 15 bits plus a constant: a CRC over data that holds CRCs would be weak (TensorFlow's crc32c.h). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One record as it stands in a file; a fresh array. */
export function frameRecord(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(12 + bytes.length + 4);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, maskedCrc32c(framed.subarray(0, 8)), true);
  framed.set(bytes, 12);
  view.setUint32(12 + bytes.length, maskedCrc32c(bytes), true);
  return framed;
}
