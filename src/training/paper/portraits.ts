import { basename } from 'node:path';
import type { MaskLabel } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { discoverPictures } from '../dataset/discover.js';
import { type Fingerprint, fingerprintPicture } from '../dataset/fingerprint.js';
import { groupNearTwins } from '../dataset/near-twins.js';
import type { PortraitPicture } from '../dataset/picture.js';
import { readStretched } from '../dataset/stretched-picture.js';

/** A whole portrait, stretched to the model's input. */
export interface Portrait {
  readonly picture: PortraitPicture;
  /** Place of its label among the recipe's. */
  readonly labelIndex: number;
  readonly print: Fingerprint;
  /** rgb24, side × side × 3. */
  readonly pixels: Uint8Array;
}

export interface PaperData {
  readonly train: readonly Portrait[];
  readonly validation: readonly Portrait[];
  /** Which training pictures are near twins of each other: equal numbers (see `groupNearTwins`). */
  readonly twinGroups: readonly number[];
  /** Names of validation pictures that resemble a training picture. */
  readonly twinsAcross: readonly string[];
}

/** Bits of 256 in which twins may differ, as for all our splits. */
const TWIN_MAX_DISTANCE = 32;

/**
 * Reads folders named `train` and `validation` with one folder per label below them, found in `directories`.
 * Labels are taken as given: corrections are for the product's own model. Rejects with `AppError` DATA_NOT_FOUND,
 * DATA_INVALID, DATA_TOO_FEW, DATA_UNREADABLE, or with the signal's reason.
 */
export async function readPaperData(
  directories: readonly string[],
  labels: readonly MaskLabel[],
  sidePx: number,
  options: { readonly onPicture?: (done: number, total: number) => void; readonly signal?: AbortSignal } = {},
): Promise<PaperData> {
  const byPath = new Map<string, PortraitPicture>();
  for (const directory of directories)
    for (const picture of await discoverPictures(directory))
      if (picture.kind === 'portrait') byPath.set(picture.path, picture);
  const pictures = [...byPath.values()];
  const parts = { train: [] as Portrait[], validation: [] as Portrait[] };
  for (const [index, picture] of pictures.entries()) {
    options.signal?.throwIfAborted();
    const labelIndex = labels.indexOf(picture.label);
    if (labelIndex === -1)
      throw new AppError('DATA_INVALID', `${picture.id}: the recipe knows ${labels.join(' and ')} only`, {
        path: picture.path,
        exitCode: 2,
      });
    parts[partOf(picture)].push({
      picture,
      labelIndex,
      print: await fingerprintPicture(picture.path),
      pixels: await readStretched(picture.path, sidePx),
    });
    options.onPicture?.(index + 1, pictures.length);
  }
  for (const [name, part] of Object.entries(parts))
    for (const [labelIndex, label] of labels.entries())
      if (!part.some((portrait) => portrait.labelIndex === labelIndex))
        throw new AppError('DATA_TOO_FEW', `no picture in a folder ${name}/${label}`, {
          hint: 'the recipe needs train/LABEL and validation/LABEL below --data',
          exitCode: 2,
        });
  return { ...parts, ...twinsOf(parts.train, parts.validation) };
}

function partOf({ dataset, id, path }: PortraitPicture): 'train' | 'validation' {
  const name = dataset.split('/').at(-1);
  if (name === 'train' || name === 'validation') return name;
  throw new AppError('DATA_INVALID', `${id} lies neither below train nor below validation`, {
    path,
    hint: 'give the folder that holds train and validation with --data',
    exitCode: 2,
  });
}

function twinsOf(
  train: readonly Portrait[],
  validation: readonly Portrait[],
): Pick<PaperData, 'twinGroups' | 'twinsAcross'> {
  const groups = groupNearTwins(
    [...train, ...validation].map(({ print }) => print),
    TWIN_MAX_DISTANCE,
  );
  const twinGroups = groups.slice(0, train.length);
  const trained = new Set(twinGroups);
  const twinsAcross = validation.flatMap(({ picture }, i) =>
    trained.has(groups[train.length + i]!) ? [basename(picture.path)] : [],
  );
  return { twinGroups, twinsAcross };
}
