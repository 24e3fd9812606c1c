import { InvalidArgumentError } from 'commander';

/** A port number, 0 to 65535. For commander. */
export function parsePort(text: string): number {
  return parseWhole(text, 0, 65535);
}

/** A whole number of 1 or more. For commander. */
export function parseCount(text: string): number {
  return parseWhole(text, 1, 1_000_000);
}

/** A number above 0. For commander. */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('it must be a number above 0.');
  return value;
}

/** Pictures a second of a video, 1 to 60. For commander. */
export function parseVideoRate(text: string): number {
  const value = parsePositive(text);
  if (value < 1 || value > 60) throw new InvalidArgumentError('it must be from 1 to 60.');
  return value;
}

function parseWhole(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new InvalidArgumentError(`it must be a whole number from ${min} to ${max}.`);
  return value;
}
