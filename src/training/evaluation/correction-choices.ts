import { basename } from 'node:path';
import { type Box, iou } from '../../domain/box.js';
import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { type Correction, isSameBox, SAME_THING_IOU } from '../dataset/corrections.js';
import { fileInDataset } from '../dataset/picture.js';
import type { Suspect } from './suspects.js';

/** One thing that a person may say of a suspect, and what that makes in a corrections file. */
export interface CorrectionChoice {
  /** What it says, in a few words. */
  readonly says: string;
  /** JSON, one object a line, in the form that `readCorrections` takes. */
  readonly lines: readonly string[];
}

export interface CorrectionOffer {
  /** What the model holds for likely stands first. */
  readonly choices: readonly CorrectionChoice[];
  /** `FILE:LINE` of the correction that this face has already: a new line must take its place. Else null. */
  readonly replaces: string | null;
}

const PLAIN: Readonly<Record<MaskLabel, string>> = {
  with_mask: 'with mask',
  without_mask: 'without mask',
  mask_worn_incorrectly: 'worn incorrectly',
};

/**
 * The corrections that a suspect may need. `hash`: first 16 hexadecimal digits of the picture's sha256.
 * `corrections`: those that were applied when it was judged.
 */
export function correctionChoices(
  suspect: Suspect,
  hash: string,
  corrections: readonly Correction[],
): CorrectionOffer {
  const { picture } = suspect;
  const named = { dataset: picture.dataset, file: fileInDataset(picture), hash };
  const line = (action: Correction['action'], more: { box?: Box; label?: MaskLabel } = {}) =>
    JSON.stringify({ ...named, action, ...more });
  const standing = standingCorrection(suspect, hash, corrections);
  const replaces = standing && basename(standing.source);
  const others = MASK_LABELS.filter((label) => suspect.kind === 'unlabelled' || label !== suspect.label).sort(
    (a, b) => suspect.scores[b] - suspect.scores[a],
  );
  const perLabel = (lineOf: (label: MaskLabel) => string) =>
    others.map((label): CorrectionChoice => ({ says: PLAIN[label], lines: [lineOf(label)] }));
  if (picture.kind === 'portrait')
    return {
      replaces,
      choices: [
        ...perLabel((label) => line('relabel', { label })),
        { says: 'leave the picture out', lines: [line('remove')] },
      ],
    };
  const box = tenths(suspect.box);
  const ignore = { says: 'neither use nor count', lines: [line('ignore', { box })] };
  if (suspect.kind === 'unlabelled' || standing?.action === 'add')
    return {
      replaces,
      choices: [
        ...perLabel((label) => line('add', { box, label })),
        { says: 'a face, label not to be told', lines: [line('add', { box })] },
        { says: 'no face', lines: [line('not_a_face', { box })] },
        ignore,
      ],
    };
  return {
    replaces,
    choices: [
      ...perLabel((label) => line('relabel', { box, label })),
      { says: 'label not to be told', lines: [line('remove', { box }), line('add', { box })] },
      { says: 'no face', lines: [line('remove', { box })] },
      ignore,
    ],
  };
}

/** The correction that gave the suspect its label. */
function standingCorrection(
  { picture, box, kind }: Suspect,
  hash: string,
  corrections: readonly Correction[],
): Correction | null {
  if (kind === 'unlabelled') return null;
  const file = fileInDataset(picture);
  const own = corrections.filter(
    (correction) =>
      correction.hash === hash &&
      correction.file === file &&
      correction.dataset.split('/').at(-1) === picture.dataset.split('/').at(-1),
  );
  if (picture.kind === 'portrait') return own.find(({ action }) => action === 'relabel') ?? null;
  const relabelled = own.find(
    (other) => other.action === 'relabel' && other.box && isSameBox(other.box, box),
  );
  const added = own.find((other) => other.action === 'add' && iou(other.box, box) >= SAME_THING_IOU);
  return relabelled ?? added ?? null;
}

/** A tenth of a pixel is more than anybody sees, and within what the reader takes for the same box. */
function tenths({ x, y, width, height }: Box): Box {
  const round = (value: number) => Math.round(value * 10) / 10;
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}
