import { seededRandom, shuffle } from '../../lib/random.js';

/**
 * Sets a share of the training pictures aside, about as much of each label, near twins together; the rest is
 * trained on. Both lists are indices in rising order. Depends on `seed` alone.
 */
export function drawHeldOutPart(
  labels: readonly number[],
  twinGroups: readonly number[],
  share: number,
  seed: number,
): { readonly train: readonly number[]; readonly heldOut: readonly number[] } {
  const members = new Map<number, number[]>();
  for (const [index, group] of twinGroups.entries())
    members.set(group, [...(members.get(group) ?? []), index]);
  const wanted = new Map<number, number>();
  for (const label of labels) wanted.set(label, (wanted.get(label) ?? 0) + share);
  const heldOut = new Set<number>();
  for (const group of shuffle([...members.keys()], seededRandom(`${seed}:held out`))) {
    const indices = members.get(group)!;
    const label = labels[indices[0]!]!;
    if ((wanted.get(label) ?? 0) < 0.5) continue;
    for (const index of indices) {
      heldOut.add(index);
      wanted.set(labels[index]!, wanted.get(labels[index]!)! - 1);
    }
  }
  const all = [...labels.keys()];
  return {
    train: all.filter((index) => !heldOut.has(index)),
    heldOut: all.filter((index) => heldOut.has(index)),
  };
}
