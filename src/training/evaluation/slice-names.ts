import { FaceTags } from './face-tags.js';
import type { FaceRecord } from './judge-pictures.js';

/** One way of dividing the faces. */
interface SliceDimension {
  /** Begins the names of its slices. */
  readonly prefix: string;
  /** Slices in which a face lies: none where the dimension says nothing about it. */
  readonly namesOf: (face: FaceRecord) => readonly string[];
  /** Sorts the slices; without it they stand in the order of the faces. */
  readonly orderOf?: (face: FaceRecord) => number;
}

/** Faces by their shorter side, pixels. */
const SIZE_LIMITS_PX = [16, 24, 32, 48, 96] as const;
const YAW_LIMITS = [20, 45] as const;
const BRIGHTNESS_LIMITS = [60, 100, 150, 200] as const;
const SHARPNESS_LIMITS = [200, 800, 2000] as const;
/** At or above this share of skin colour a lower face counts as skin. */
const SKIN_SHARE = 0.5;

export function sizeName(facePx: number): string {
  return rangeName(facePx, SIZE_LIMITS_PX, ' px');
}

/** `under 16 px`, `16 to 24 px` … `96 px and more`; a limit belongs to the range above it. */
export function rangeName(value: number, limits: readonly number[], unit: string): string {
  const upper = limits.findIndex((limit) => value < limit);
  if (upper === 0) return `under ${limits[0]}${unit}`;
  if (upper === -1) return `${limits.at(-1)}${unit} and more`;
  return `${limits[upper - 1]} to ${limits[upper]}${unit}`;
}

/**
 * The dimensions of a report. Nothing that can be measured in a picture tells a hand or hair before the mouth from
 * other skin or cloth: the share of skin colour on the lower face stands in for it (a bare lower face without it
 * is covered, bearded or badly lit; a masked one with it has the mask low, or a hand or a skin-coloured mask
 * before the mouth), and `tags` (names given by people) say it where somebody has looked.
 */
export function sliceDimensions(tags: FaceTags = FaceTags.none): readonly SliceDimension[] {
  return [
    { prefix: 'face ', namesOf: ({ facePx }) => [sizeName(facePx)], orderOf: ({ facePx }) => facePx },
    {
      prefix: 'yaw ',
      namesOf: ({ yawDegrees }) => [
        yawDegrees === null ? 'not known' : rangeName(yawDegrees, YAW_LIMITS, '°'),
      ],
      orderOf: ({ yawDegrees }) => yawDegrees ?? Number.POSITIVE_INFINITY,
    },
    {
      prefix: 'mask colour ',
      namesOf: ({ label, traits }) => (label === 'with_mask' ? [traits.lowerColour] : []),
    },
    {
      prefix: 'lower face ',
      namesOf: ({ label, traits }) => [
        `${label}, ${traits.skinShare >= SKIN_SHARE ? 'mostly' : 'hardly'} of skin colour`,
      ],
      orderOf: ({ label, traits }) =>
        ['with_mask', 'without_mask', 'mask_worn_incorrectly'].indexOf(label) * 2 +
        (traits.skinShare >= SKIN_SHARE ? 1 : 0),
    },
    {
      prefix: 'brightness ',
      namesOf: ({ traits }) => [rangeName(traits.brightness, BRIGHTNESS_LIMITS, '')],
      orderOf: ({ traits }) => traits.brightness,
    },
    {
      prefix: 'sharpness ',
      namesOf: ({ traits }) => [rangeName(traits.sharpness, SHARPNESS_LIMITS, '')],
      orderOf: ({ traits }) => traits.sharpness,
    },
    { prefix: 'tag ', namesOf: (face) => tags.of(face) },
    { prefix: 'data ', namesOf: ({ picture }) => [picture.dataset] },
  ];
}

/** Slices with their faces, in the order in which a report tells them. */
export function sliceFaces(
  faces: readonly FaceRecord[],
  dimensions: readonly SliceDimension[],
): Map<string, FaceRecord[]> {
  const slices = new Map<string, FaceRecord[]>();
  for (const { prefix, namesOf, orderOf } of dimensions) {
    const ordered = orderOf ? faces.toSorted((a, b) => orderOf(a) - orderOf(b)) : faces;
    for (const face of ordered)
      for (const name of namesOf(face)) {
        const slice = slices.get(prefix + name);
        if (slice) slice.push(face);
        else slices.set(prefix + name, [face]);
      }
  }
  return slices;
}
