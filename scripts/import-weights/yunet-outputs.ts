const STRIDES = [8, 16, 32] as const;
const MEANINGS = {
  cls: 'score of being a face, after sigmoid; face score = sqrt(cls * obj)',
  obj: 'score of a good box, after sigmoid; face score = sqrt(cls * obj)',
  bbox: 'box: x and y of the centre relative to the top left of the cell, log of width and height; all in strides',
  kps: 'x, y of right eye, left eye, nose, right and left corner of the mouth (the person’s right), relative to the top left of the cell, in strides',
} as const;

/** Outputs of YuNet in the order of its manifest, by name. */
export function yunetOutputs(): Record<string, { meaning: string; stride: number }> {
  return Object.fromEntries(
    Object.entries(MEANINGS).flatMap(([kind, meaning]) =>
      STRIDES.map((stride) => [`${kind}_${stride}`, { meaning, stride }] as const),
    ),
  );
}
