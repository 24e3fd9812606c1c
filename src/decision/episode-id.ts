import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/**
 * Makes ids of episodes like ULIDs in small letters: 48 bits of time, then 80 random bits, in Crockford's
 * base 32 (github.com/ulid/spec). As text they sort in the order of their making within one process, also
 * when several are made in one millisecond and when the wall clock is set back (the last time is then kept
 * and the random part counted up). Use one generator per process.
 */
export function createEpisodeIdGenerator(
  random: (sizeBytes: number) => Uint8Array = randomBytes,
): (wallMs: number) => string {
  let lastMs = Number.NEGATIVE_INFINITY;
  let digits: number[] = [];
  return (wallMs) => {
    const timeMs = Math.max(0, Math.floor(wallMs));
    if (timeMs > lastMs || !countUp(digits)) {
      lastMs = Math.max(timeMs, lastMs + 1);
      digits = Array.from(random(RANDOM_CHARACTERS), (byte) => byte & 31);
      // Room to count up without carrying over.
      digits[0] = digits[0]! & 15;
    }
    return encodeTime(lastMs) + digits.map((digit) => ALPHABET[digit]).join('');
  };
}

/** Adds one in place; false when it would not fit. */
function countUp(digits: number[]): boolean {
  for (let index = digits.length - 1; index >= 0; index--) {
    if (digits[index]! < 31) {
      digits[index] = digits[index]! + 1;
      return true;
    }
    digits[index] = 0;
  }
  return false;
}

function encodeTime(timeMs: number): string {
  let rest = timeMs;
  let text = '';
  for (let index = 0; index < TIME_CHARACTERS; index++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
