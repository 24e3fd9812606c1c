import { stat } from 'node:fs/promises';
import { AppError } from '../../lib/errors.js';
import { type CorrectionsReport, correctPictures } from '../dataset/correct-pictures.js';
import type { Correction } from '../dataset/corrections.js';
import { discoverPictures, type ReadingOptions } from '../dataset/discover.js';
import { contentHashOf } from '../dataset/fingerprint.js';
import type { LabelledPicture } from '../dataset/picture.js';
import type { SplitPart } from '../dataset/split.js';
import { heldOutHashes, readSplitFile } from '../dataset/split-file.js';

export interface PictureSelection {
  /** `crops`: a folder per label, one person a picture. `scenes`: pictures with `annotations.jsonl`. */
  readonly kind: 'crops' | 'scenes';
  readonly dataDir: string;
  /** Only pictures of this part of a split file (the model's `split.json`). */
  readonly only?: { readonly splitFile: string; readonly part: SplitPart };
  /** Corrections files; `false` for none, absent for those that ship with our models. */
  readonly corrections?: readonly string[] | false;
  /** Meanings of label names, and who is told of what is left out. */
  readonly reading?: ReadingOptions;
}

/** Pictures to judge, and the corrections that stand in them. */
export interface SelectedPictures {
  readonly pictures: LabelledPicture[];
  /** What came of the corrections. */
  readonly corrections: CorrectionsReport;
  /** The corrections themselves, those of other data too. */
  readonly correctionList: readonly Correction[];
}

/** The pictures that are asked for, corrected. Rejects with DATA_NOT_FOUND, DATA_INVALID or DATA_WRONG_KIND. */
export async function selectPictures({
  kind,
  dataDir,
  only,
  corrections,
  reading,
}: PictureSelection): Promise<SelectedPictures> {
  const isThere = await stat(dataDir).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isThere)
    throw new AppError('DATA_NOT_FOUND', `${dataDir} is no folder`, { path: dataDir, exitCode: 2 });
  const wanted = kind === 'scenes' ? 'scene' : 'portrait';
  const corrected = await correctPictures(await discoverPictures(dataDir, reading), corrections);
  let pictures = corrected.pictures.filter((picture) => picture.kind === wanted);
  if (pictures.length === 0)
    throw new AppError('DATA_WRONG_KIND', `${dataDir} holds no ${kind}`, {
      path: dataDir,
      hint: kind === 'scenes' ? 'for one folder per label use --crops' : 'for annotations.jsonl use --scenes',
      exitCode: 2,
    });
  if (only) {
    const parts = heldOutHashes(await readSplitFile(only.splitFile));
    pictures = await picturesOfPart(pictures, parts, only.part);
    if (pictures.length === 0)
      throw new AppError('DATA_NOT_FOUND', `${dataDir} holds no picture of the part ${only.part}`, {
        path: dataDir,
        exitCode: 2,
      });
  }
  return { pictures, corrections: corrected.report, correctionList: corrected.corrections };
}

/** The pictures that lie in a part; one that no list names was open to training. */
export async function picturesOfPart(
  pictures: readonly LabelledPicture[],
  parts: ReadonlyMap<string, SplitPart>,
  part: SplitPart,
): Promise<LabelledPicture[]> {
  const kept: LabelledPicture[] = [];
  for (const picture of pictures)
    if ((parts.get(await contentHashOf(picture.path)) ?? 'train') === part) kept.push(picture);
  return kept;
}
