import type { Box } from '../../domain/box.js';
import type { SplitPart } from '../dataset/split.js';

/** What a picture without a face shows. */
export const FACELESS_KINDS = [
  /** Part of a scene that keeps clear of every face; it may hold confirmed non-faces. */
  'background',
  /** Around a place that a detector took for a face and people confirmed as none, by what it is. */
  'back_of_head',
  'hand',
  'other_non_face',
  /** Around a statue, doll, toy or carving. */
  'statue',
  /** Somebody seen from behind, whole frames and parts of a clip. */
  'person_from_behind',
  /** A mask on a bench, whole frames and parts of a clip. */
  'mask_on_bench',
  /** A mask cut out of a synthetic portrait, laid on a background. */
  'mask_alone',
] as const;
export type FacelessKind = (typeof FACELESS_KINDS)[number];

/** The parts of a split whose pictures may be used, and the clips, which no training has seen. */
export type FacelessPart = Exclude<SplitPart, 'train'> | 'clips';

/** The pixels a picture is made of. */
export interface FacelessSource {
  readonly dataset: string;
  /** Within the data set, with slashes. */
  readonly file: string;
  /** First 16 hexadecimal digits of the file's sha256. */
  readonly hash: string;
  /** Of a clip: the frame at this time. */
  readonly atMs?: number | undefined;
}

/** A picture of the set before it is cut. */
export interface FacelessPlan {
  readonly kind: FacelessKind;
  readonly part: FacelessPart;
  readonly source: FacelessSource;
  /** What is cut out, pixels of the source as displayed. */
  readonly region: Box;
  /** What the picture is about, pixels of the source. */
  readonly place?: Box | undefined;
  /** Of `mask_alone`: the portrait whose mask is laid on the region, and where, pixels of the region. */
  readonly overlay?: FacelessOverlay | undefined;
}

export interface FacelessOverlay {
  readonly source: FacelessSource;
  readonly box: Box;
  readonly turnDegrees: number;
}
