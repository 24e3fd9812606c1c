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

/** A whole scene with boxes, in pixels of the picture as displayed. Not every face in it need be labelled. */
export interface ScenePicture extends PictureFile {
  readonly kind: 'scene';
  readonly width: number;
  readonly height: number;
  readonly faces: readonly LabelledFace[];
  /** Faces whose label nobody can tell: for a detector, never for a classifier. */
  readonly unclassified: readonly Box[];
  /** Neither used nor counted: reflections, drawings, the unrecognisable. */
  readonly ignored: readonly Box[];
  /** What a detector takes for a face and is none. */
  readonly notFaces: readonly Box[];
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

/** The picture's file, relative to the folder of its data set, with slashes. */
export function fileInDataset({ id, dataset }: Pick<LabelledPicture, 'id' | 'dataset'>): string {
  return id.startsWith(`${dataset}/`) ? id.slice(dataset.length + 1) : id;
}
