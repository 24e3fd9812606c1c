import { type Box, iou } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import { MASK_LABELS, type MaskLabel } from '../../domain/label.js';
import type { PaintedLabel } from '../augment/paint-mask.js';
import { matchBoxes } from '../dataset/match-boxes.js';
import type { SplitPart } from '../dataset/split.js';
import type { FineTuneRecipe, FineTuneSource } from '../recipes/fine-tune-recipe.js';
import { entryFor } from '../recipes/recipe.js';
import type { SeenPicture } from './find-detections.js';
import { beside, placesWithoutFace } from './places-without-face.js';

/** What a crop shows: a label, a face whose label nobody can tell, or no face. */
export type CropTarget = MaskLabel | 'unclassified' | 'not_a_face';
export const CROP_TARGETS = [...MASK_LABELS, 'unclassified', 'not_a_face'] as const;

/** Place of the label in the classifier's output; −1 for what has none. */
export function labelIndexOf(target: CropTarget): number {
  return (MASK_LABELS as readonly CropTarget[]).indexOf(target);
}

/** One place in one picture of which crops are cut. */
export interface CropSource {
  readonly pictureIndex: number;
  readonly target: CropTarget;
  /** The detector's box, else the label's own; pixels of the picture. */
  readonly box: Box;
  /** The label's own box where `box` is the detector's. */
  readonly labelledBox: Box | null;
  readonly landmarks: Landmarks | null;
  /** A bare face on which a mask is drawn. */
  readonly painted?: PaintedLabel;
  /** How often it is drawn, against others of the same target. */
  readonly weight: number;
  /** Cut variants. */
  readonly variants: number;
  /** Its data set, and what it is: for reports. */
  readonly group: string;
}

/** The product's detector finds faces from this score on; below, a match is what a lower threshold would deliver. */
const MATCH_SCORE = 0.1;
const PAINTED_LABELS: readonly PaintedLabel[] = ['with_mask', 'mask_worn_incorrectly'];
/** On smaller faces the landmarks are too coarse to draw by. */
const MIN_PAINTED_PX = 28;

/**
 * All places of the `train` part by the recipe's rules: labelled faces, faces without a label, painted ones, false
 * boxes that somebody has confirmed, and places without a face. The same pictures give the same places.
 */
export function trainingSources(
  pictures: readonly SeenPicture[],
  parts: readonly SplitPart[],
  recipe: FineTuneRecipe,
): CropSource[] {
  return pictures.flatMap((seen, pictureIndex) => {
    if (parts[pictureIndex] !== 'train') return [];
    const rule = ruleOf(recipe, seen);
    return [
      ...labelledSources(seen, pictureIndex).flatMap((source) => [
        ...weighted(source, rule, recipe),
        ...paintedSources(source, rule, recipe),
      ]),
      ...facelessSources(seen, pictureIndex, recipe),
    ];
  });
}

/** The places of the `validation` part by which is chosen and calibrated: one plain crop each. */
export function validationSources(
  pictures: readonly SeenPicture[],
  parts: readonly SplitPart[],
  recipe: FineTuneRecipe,
): CropSource[] {
  return pictures.flatMap((seen, pictureIndex) => {
    if (parts[pictureIndex] !== 'validation') return [];
    const { validationLabels, minFacePx, weights } = ruleOf(recipe, seen);
    const faces = labelledSources(seen, pictureIndex).filter(
      ({ target, box }) =>
        target === 'unclassified' ||
        (target !== 'not_a_face' && validationLabels.includes(target) && sidePx(box) >= minFacePx),
    );
    return [...faces, ...facelessSources(seen, pictureIndex, recipe)].map((source) => {
      const { target } = source;
      const weight = target === 'unclassified' || target === 'not_a_face' ? 1 : (weights[target] ?? 1);
      return { ...source, weight, variants: 1 };
    });
  });
}

function ruleOf(recipe: FineTuneRecipe, { picture }: SeenPicture): FineTuneSource {
  return entryFor(recipe.sources, picture.dataset) ?? recipe.otherSources;
}

function labelledSources(
  { picture, detections, width, height }: SeenPicture,
  pictureIndex: number,
): CropSource[] {
  const base = { pictureIndex, weight: 1, variants: 1 };
  if (picture.kind === 'portrait') {
    const [face] = detections;
    const whole = { x: 0, y: 0, width, height };
    return [
      {
        ...base,
        target: picture.label,
        box: face?.box ?? whole,
        labelledBox: null,
        landmarks: face?.landmarks ?? null,
        group: `${picture.dataset} ${picture.label}`,
      },
    ];
  }
  const faces = [
    ...picture.faces.map(({ box, label }) => ({ box, target: label })),
    ...picture.unclassified.map((box) => ({ box, target: 'unclassified' as const })),
  ];
  const found = detections.filter(({ score }) => score >= MATCH_SCORE);
  const matches = matchBoxes(
    faces.map(({ box }) => box),
    found.map(({ box }) => box),
  );
  return faces.map(({ box, target }, index) => {
    const detection = found[matches[index] ?? -1];
    return {
      ...base,
      target,
      box: detection?.box ?? box,
      labelledBox: detection ? box : null,
      landmarks: detection?.landmarks ?? null,
      group: `${picture.dataset} ${target}`,
    };
  });
}

function weighted(source: CropSource, rule: FineTuneSource, recipe: FineTuneRecipe): CropSource[] {
  const { target } = source;
  if (sidePx(source.box) < rule.minFacePx) return [];
  const weight = target === 'unclassified' || target === 'not_a_face' ? 1 : (rule.weights[target] ?? 0);
  return weight > 0 ? [{ ...source, weight, variants: recipe.variants[target] }] : [];
}

function paintedSources(source: CropSource, rule: FineTuneSource, recipe: FineTuneRecipe): CropSource[] {
  if (source.target !== 'without_mask' || !source.landmarks || sidePx(source.box) < MIN_PAINTED_PX) return [];
  return PAINTED_LABELS.flatMap((painted) => {
    const weight = rule.paintedWeights[painted] ?? 0;
    if (weight === 0) return [];
    const group = `${source.group} painted ${painted}`;
    return [{ ...source, target: painted, painted, weight, variants: recipe.variants.painted, group }];
  });
}

function facelessSources(seen: SeenPicture, pictureIndex: number, recipe: FineTuneRecipe): CropSource[] {
  const { picture, detections, print } = seen;
  if (picture.kind !== 'scene') return [];
  const { negatives } = recipe;
  const source = (box: Box, weight: number, kind: string): CropSource => ({
    pictureIndex,
    target: 'not_a_face',
    box,
    labelledBox: null,
    landmarks: null,
    weight,
    variants: recipe.variants.not_a_face,
    group: `${picture.dataset} ${kind}`,
  });
  const isConfirmed = (box: Box) => picture.notFaces.some((other) => iou(box, other) > 0.5);
  const faces = [
    ...picture.faces.map(({ box }) => box),
    ...picture.unclassified,
    ...picture.ignored,
    ...detections.flatMap(({ box, score }) =>
      score >= negatives.carefulScore && !isConfirmed(box) ? [box] : [],
    ),
  ];
  const labelled = picture.faces.map(({ box }) => box);
  return [
    ...picture.notFaces.map((box) => source(box, negatives.confirmedWeight, 'confirmed')),
    ...placesWithoutFace(seen, faces, negatives.backgroundPerScene, print.contentHash).map((box) =>
      source(box, 1, 'background'),
    ),
    ...beside(labelled, seen, faces, negatives.besideFacePerScene, print.contentHash).map((box) =>
      source(box, 1, 'beside'),
    ),
  ];
}

function sidePx({ width, height }: Box): number {
  return Math.min(width, height);
}
