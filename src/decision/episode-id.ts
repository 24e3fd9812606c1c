import { randomBytes } from 'node:crypto';

/** Makes ids of episodes: unique everywhere, and sorted as text they are in the order of their making. */
export function createEpisodeIdGenerator(
  random: (sizeBytes: number) => Uint8Array = randomBytes,
): (wallMs: number) => string {
  return (wallMs) => `${wallMs}-${Buffer.from(random(10)).toString('hex')}`;
}
