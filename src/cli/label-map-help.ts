/** Help of `--label-map`, which several commands take. */
export const LABEL_MAP_HELP =
  'meanings of a data set\'s own label names, e.g. \'{"face": "without_mask", "person": "skip"}\'';
