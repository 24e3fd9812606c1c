import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { AppError } from '../../lib/errors.js';

/** Side of the grid of differences: 16 × 16 = 256 bits tell pictures of one kind (portraits) apart; 64 do not. */
const GRID = 16;
export const PERCEPTUAL_BITS = GRID * GRID;

/** What a picture is recognised by, whatever its name. */
export interface Fingerprint {
  /** First 16 hexadecimal digits of the file's sha256. */
  readonly contentHash: string;
  /** 256 bits as eight 32-bit words: is each cell of a 16 × 16 grid darker than its right neighbour? */
  readonly perceptual: Uint32Array;
  /** The same of the mirrored picture, so that flipped copies are twins too. */
  readonly perceptualMirrored: Uint32Array;
}

/**
 * Reads a picture and takes its fingerprint. The perceptual part is a difference hash ("dHash"): the picture
 * in grey at 17 × 16 pixels, each cell compared with the next in its row.
 * Throws `AppError` DATA_UNREADABLE when the file is no picture.
 */
export async function fingerprintPicture(path: string): Promise<Fingerprint> {
  try {
    const bytes = await readFile(path);
    const grey = await sharp(bytes)
      .autoOrient()
      .greyscale()
      .resize(GRID + 1, GRID, { fit: 'fill' })
      .raw()
      .toBuffer();
    return {
      contentHash: hashOf(bytes),
      perceptual: differenceBits(grey, false),
      perceptualMirrored: differenceBits(grey, true),
    };
  } catch (cause) {
    throw new AppError('DATA_UNREADABLE', `${path} cannot be read as a picture`, { cause, path });
  }
}

/** The content hash alone, which needs no decoding. Throws `AppError` DATA_UNREADABLE when there is no such file. */
export async function contentHashOf(path: string): Promise<string> {
  try {
    return hashOf(await readFile(path));
  } catch (cause) {
    throw new AppError('DATA_UNREADABLE', `${path} cannot be read`, { cause, path });
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Number of bits in which two fingerprints of the same kind differ, 0 … 256. */
export function hammingDistance(a: Uint32Array, b: Uint32Array): number {
  let distance = 0;
  for (let i = 0; i < a.length; i++) distance += countBits(a[i]! ^ b[i]!);
  return distance;
}

function differenceBits(grey: Uint8Array, isMirrored: boolean): Uint32Array {
  const words = new Uint32Array(PERCEPTUAL_BITS / 32);
  for (let y = 0; y < GRID; y++)
    for (let x = 0; x < GRID; x++) {
      const row = y * (GRID + 1);
      const left = isMirrored ? grey[row + GRID - x]! : grey[row + x]!;
      const right = isMirrored ? grey[row + GRID - x - 1]! : grey[row + x + 1]!;
      const bit = y * GRID + x;
      if (left < right) words[bit >> 5]! |= 1 << (bit & 31);
    }
  return words;
}

/** Ones among the 32 bits of a number. */
export function countBits(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
