/*
 * Reads TensorBoard's event files without anything that wrote them: CRC bit by bit instead of by table, protobuf
 * fields by hand.
 */

export interface ReadEvent {
  readonly step: number;
  readonly fileVersion: string | null;
  readonly scalars: Readonly<Record<string, number>>;
}

/** Throws when a length or a checksum is wrong. */
export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    if (file.readUInt32LE(at + 8) !== masked(file.subarray(at, at + 8)))
      throw new Error('checksum of a length');
    const bytes = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 12 + length) !== masked(bytes)) throw new Error('checksum of a record');
    events.push(readEvent(bytes));
    at += 16 + length;
  }
  return events;
}

function masked(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x82f63b78n : 0n);
  }
  crc ^= 0xffffffffn;
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

function readEvent(bytes: Buffer): ReadEvent {
  let step = 0;
  let fileVersion: string | null = null;
  const scalars: Record<string, number> = {};
  for (const { field, value } of fields(bytes)) {
    if (field === 2) step = Number(value);
    if (field === 3) fileVersion = (value as Buffer).toString();
    if (field !== 5) continue;
    for (const entry of fields(value as Buffer)) {
      const parts = fields(entry.value as Buffer);
      const tag = parts.find((part) => part.field === 1)!.value as Buffer;
      scalars[tag.toString()] = (parts.find((part) => part.field === 2)!.value as Buffer).readFloatLE(0);
    }
  }
  return { step, fileVersion, scalars };
}

function fields(bytes: Buffer): { field: number; value: number | Buffer }[] {
  const found: { field: number; value: number | Buffer }[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint());
    found.push({ field: key >> 3, value });
  }
  return found;
}
