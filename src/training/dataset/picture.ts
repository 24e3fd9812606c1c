import { basename, dirname } from 'node:path';
import type { Box } from '../../domain/box.js';
import type { MaskLabel } from '../../domain/label.js';

/** A face that somebody has labelled, in pixels of its picture. */
export interface LabelledFace {
  readonly box: Box;
  readonly label: MaskLabel;
}

interface PictureFile {
  /** Absolute path. */
  readonly path: string;
  /** Data set and file, with slashes, e.g. `scenes/ilc/images/0003.jpg`: for people and reports. */
  readonly id: string;
  /** The last two folder names of its data set, e.g. `scenes/ilc`: recipes speak of data sets by this name. */
  readonly dataset: string;
}

/** A whole scene with boxes. Not every face in it need be labelled. */
export interface ScenePicture extends PictureFile {
  readonly kind: 'scene';
  readonly width: number;
  readonly height: number;
  readonly faces: readonly LabelledFace[];
}

/** A picture of one person, anything from a tight face crop to a portrait, out of a folder named by its label. */
export interface PortraitPicture extends PictureFile {
  readonly kind: 'portrait';
  readonly label: MaskLabel;
}

export type LabelledPicture = ScenePicture | PortraitPicture;

/** Name by which recipes and reports speak of a data set: its last two folders. */
export function datasetName(directory: string): string {
  return `${basename(dirname(directory))}/${basename(directory)}`;
}
