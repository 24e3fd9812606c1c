import { createHash } from 'node:crypto';
import type { Fingerprint } from './fingerprint.js';
import { groupNearTwins } from './near-twins.js';
import type { LabelledPicture } from './picture.js';

export const SPLIT_PARTS = ['train', 'validation', 'test'] as const;
export type SplitPart = (typeof SPLIT_PARTS)[number];

export interface SplitRules {
  /** Changes the draw. */
  readonly seed: string;
  readonly validationFraction: number;
  readonly testFraction: number;
  /** Bits of 256 in which twins may differ. */
  readonly twinMaxDistance: number;
  /** Data sets that go into one part whole, e.g. the paper's own validation pictures into `test`. */
  readonly fixed: Readonly<Record<string, SplitPart>>;
}

export interface PrintedPicture {
  readonly picture: LabelledPicture;
  readonly print: Fingerprint;
}

/**
 * Divides pictures into parts. Near twins stay together; the draw of a group depends on `seed` and on the
 * smallest content hash in it, so that pictures added later move nothing that is there. A group with pictures
 * of `fixed` data sets goes where they go, `test` before `validation` before `train`: nothing that resembles a
 * held-out picture is ever trained on. `pinned` (content hash → part, an earlier split) overrides the draw in
 * the same way.
 */
export function splitPictures(
  pictures: readonly PrintedPicture[],
  rules: SplitRules,
  pinned: ReadonlyMap<string, SplitPart> = new Map(),
): SplitPart[] {
  const groups = groupNearTwins(
    pictures.map(({ print }) => print),
    rules.twinMaxDistance,
  );
  const members = membersOf(groups);
  const parts: SplitPart[] = new Array(pictures.length);
  for (const indices of members.values()) {
    const forced = indices.flatMap((index) => {
      const { picture, print } = pictures[index]!;
      const part = pinned.get(print.contentHash) ?? rules.fixed[picture.dataset];
      return part === undefined ? [] : [part];
    });
    const smallest = indices.map((index) => pictures[index]!.print.contentHash).sort()[0]!;
    const part = strictest(forced) ?? drawPart(smallest, rules);
    for (const index of indices) parts[index] = part;
  }
  return parts;
}

/** The part that a content hash falls into by chance alone. */
export function drawPart(
  contentHash: string,
  rules: Pick<SplitRules, 'seed' | 'validationFraction' | 'testFraction'>,
): SplitPart {
  const digest = createHash('sha256').update(`${rules.seed}:${contentHash}`).digest();
  const draw = digest.readUInt32BE(0) / 2 ** 32;
  if (draw < rules.testFraction) return 'test';
  return draw < rules.testFraction + rules.validationFraction ? 'validation' : 'train';
}

function strictest(parts: readonly SplitPart[]): SplitPart | undefined {
  return SPLIT_PARTS.findLast((part) => parts.includes(part));
}

function membersOf(groups: readonly number[]): Map<number, number[]> {
  const members = new Map<number, number[]>();
  groups.forEach((group, index) => {
    const list = members.get(group);
    if (list) list.push(index);
    else members.set(group, [index]);
  });
  return members;
}
