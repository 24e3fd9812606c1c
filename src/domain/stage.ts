/** Steps of the path of one camera, in order; a frame enters each. */
export const PIPELINE_STAGES = [
  'detection',
  'tracking',
  'crops',
  'classification',
  'decision',
  'publish',
] as const;
export type PipelineStage = (typeof PIPELINE_STAGES)[number];
