import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import { groupBy } from '../evaluation/group-by.js';
import { groupNearTwins } from './near-twins.js';
import type { LabelledPicture } from './picture.js';
import { type PrintedPicture, SPLIT_PARTS, type SplitPart } from './split.js';

/** What one data set holds, corrections applied. */
export interface DatasetCounts {
  readonly kind: LabelledPicture['kind'];
  readonly pictures: number;
  /** Labelled faces; of pictures of one person the pictures. */
  readonly faces: Readonly<Record<MaskLabel, number>>;
  /** Faces whose label nobody can tell, ignored regions, and what looks like a face and is none. */
  readonly unclassified: number;
  readonly ignored: number;
  readonly notFaces: number;
  readonly parts: Readonly<Record<SplitPart, number>>;
}

/** Pictures that are one file or look the same; ids as `DATASET/FILE`. */
export interface TwinGroup {
  readonly pictures: readonly string[];
  /** All of them are the same file, byte for byte. */
  readonly isSameFile: boolean;
  /** Labels of pictures of one person differ: one of them is wrong. */
  readonly hasOtherLabels: boolean;
  readonly part: SplitPart;
}

export interface DataCheck {
  readonly datasets: Readonly<Record<string, DatasetCounts>>;
  readonly twins: readonly TwinGroup[];
}

/** Counts what is there and finds duplicates. `parts`: as `splitPictures` gives them. Pure. */
export function checkData(
  pictures: readonly PrintedPicture[],
  parts: readonly SplitPart[],
  twinMaxDistance: number,
): DataCheck {
  const indices = pictures.map((_, index) => index);
  const byDataset = groupBy(indices, (index) => pictures[index]!.picture.dataset);
  const groups = groupNearTwins(
    pictures.map(({ print }) => print),
    twinMaxDistance,
  );
  const twins = [...groupBy(indices, (index) => groups[index]!).values()].filter(({ length }) => length > 1);
  return {
    datasets: Object.fromEntries(
      [...byDataset].map(([name, own]) => [
        name,
        countDataset(
          own.map((index) => pictures[index]!.picture),
          own.map((index) => parts[index]!),
        ),
      ]),
    ),
    twins: twins.map((own) => {
      const group = own.map((index) => pictures[index]!);
      const labels = group.flatMap(({ picture }) => (picture.kind === 'portrait' ? [picture.label] : []));
      return {
        pictures: group.map(({ picture }) => picture.id),
        isSameFile: new Set(group.map(({ print }) => print.contentHash)).size === 1,
        hasOtherLabels: new Set(labels).size > 1,
        part: parts[own[0]!]!,
      };
    }),
  };
}

function countDataset(pictures: readonly LabelledPicture[], parts: readonly SplitPart[]): DatasetCounts {
  const scenes = pictures.filter((picture) => picture.kind === 'scene');
  const labels = pictures.flatMap((picture) =>
    picture.kind === 'scene' ? picture.faces.map(({ label }) => label) : [picture.label],
  );
  const count = <T extends string>(names: readonly T[], of: readonly T[]) =>
    Object.fromEntries(names.map((name) => [name, of.filter((other) => other === name).length])) as Record<
      T,
      number
    >;
  const sum = (of: 'unclassified' | 'ignored' | 'notFaces') =>
    scenes.reduce((total, scene) => total + scene[of].length, 0);
  return {
    kind: pictures[0]!.kind,
    pictures: pictures.length,
    faces: count(MASK_LABELS, labels),
    unclassified: sum('unclassified'),
    ignored: sum('ignored'),
    notFaces: sum('notFaces'),
    parts: count(SPLIT_PARTS, parts),
  };
}
