import type { CorrectionsReport } from '../dataset/correct-pictures.js';
import { correctPictures } from '../dataset/correct-pictures.js';
import { discoverPictures } from '../dataset/discover.js';
import { contentHashOf } from '../dataset/fingerprint.js';
import type { LabelledPicture } from '../dataset/picture.js';
import type { SplitPart } from '../dataset/split.js';
import { heldOutHashes, readSplitFile } from '../dataset/split-file.js';

export interface PartedPicture {
  readonly picture: LabelledPicture;
  /** First 16 hexadecimal digits of the file's sha256. */
  readonly hash: string;
  readonly part: SplitPart;
}

/**
 * Labelled pictures of folders with the part that a split file gives them; what it does not name is `train`.
 * Rejects as the readers do.
 */
export async function loadPictures(options: {
  readonly dataDirs: readonly string[];
  readonly splitFile: string;
  readonly corrections?: string | false | undefined;
}): Promise<{ readonly pictures: readonly PartedPicture[]; readonly corrections: CorrectionsReport }> {
  const byPath = new Map<string, LabelledPicture>();
  for (const directory of options.dataDirs)
    for (const picture of await discoverPictures(directory)) byPath.set(picture.path, picture);
  const { pictures, report } = await correctPictures([...byPath.values()], options.corrections);
  const parts = heldOutHashes(await readSplitFile(options.splitFile));
  const parted: PartedPicture[] = [];
  for (const picture of pictures) {
    const hash = await contentHashOf(picture.path);
    parted.push({ picture, hash, part: parts.get(hash) ?? 'train' });
  }
  return { pictures: parted, corrections: report };
}
