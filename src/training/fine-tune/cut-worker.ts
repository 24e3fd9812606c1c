import { rename, writeFile } from 'node:fs/promises';
import { readRgbPicture } from '../dataset/rgb-picture.js';
import { type CutPlace, type CutRules, cutPlain, cutVariants } from './cut-crop.js';

/** Everything that is cut out of one picture. */
export interface CutTask {
  readonly picturePath: string;
  /** Seed of the variants: the picture's content hash. */
  readonly seed: string;
  readonly places: readonly CutPlace[];
  readonly rules: CutRules;
  /** One crop a place, as the product cuts, instead of the variants. */
  readonly isPlain: boolean;
  /** Where the crops go, one after the other. */
  readonly shardPath: string;
}

/**
 * Cuts the crops of one picture into its shard; a shard is there whole or not at all. What runs in each cutting
 * thread. Rejects with DATA_UNREADABLE.
 */
export default async function cutPicture(task: CutTask): Promise<void> {
  const { rules, places, seed, isPlain, shardPath } = task;
  const picture = await readRgbPicture(task.picturePath);
  const cropBytes = rules.inputPx ** 2 * 3;
  const counts = places.map(({ variants }) => (isPlain ? 1 : variants));
  const bytes = new Uint8Array(counts.reduce((a, b) => a + b, 0) * cropBytes);
  let at = 0;
  for (const [index, place] of places.entries()) {
    const length = counts[index]! * cropBytes;
    const target = bytes.subarray(at, at + length);
    if (isPlain) cutPlain(picture, place, rules, target);
    else {
      const { x, y, width, height } = place.box;
      const where = [x, y, width, height].map((side) => side.toFixed(1)).join();
      await cutVariants(picture, place, rules, `${seed}:${where}:${place.painted ?? ''}`, target);
    }
    at += length;
  }
  await writeFile(`${shardPath}.partial`, bytes);
  await rename(`${shardPath}.partial`, shardPath);
}
