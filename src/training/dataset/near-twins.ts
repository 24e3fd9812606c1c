import { type Fingerprint, hammingDistance } from './fingerprint.js';

/**
 * Groups pictures that are the same file or look the same (also mirrored): two pictures are twins when their
 * perceptual hashes differ in at most `maxDistance` of 256 bits; groups are closed under twinship (union-find).
 * Compares every pair: fine for some ten thousand pictures.
 *
 * Returns one group number per picture, in the order given; numbers are the index of a group's first picture.
 */
export function groupNearTwins(prints: readonly Fingerprint[], maxDistance: number): number[] {
  const parent = prints.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root]!;
    for (let i = index; i !== root; ) {
      const next = parent[i]!;
      parent[i] = root;
      i = next;
    }
    return root;
  };
  for (let i = 0; i < prints.length; i++) {
    const a = prints[i]!;
    for (let j = i + 1; j < prints.length; j++) {
      const b = prints[j]!;
      if (!areTwins(a, b, maxDistance)) continue;
      const [low, high] = [rootOf(i), rootOf(j)].sort((p, q) => p - q) as [number, number];
      parent[high] = low;
    }
  }
  return parent.map((_, index) => rootOf(index));
}

function areTwins(a: Fingerprint, b: Fingerprint, maxDistance: number): boolean {
  return (
    a.contentHash === b.contentHash ||
    hammingDistance(a.perceptual, b.perceptual) <= maxDistance ||
    hammingDistance(a.perceptual, b.perceptualMirrored) <= maxDistance
  );
}
