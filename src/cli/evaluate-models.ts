import { availableParallelism } from 'node:os';
import { configSchema } from '../config/schema.js';
import { InferencePool } from '../inference/inference-pool.js';
import { readManifest } from '../inference/manifest.js';
import type { InferencePort } from '../training/evaluation/judge.js';
import type { JudgeRules } from '../training/evaluation/judge-pictures.js';
import type { EvaluateArguments } from './commands/evaluate.js';
import { namedModelFolder } from './model-folders.js';

/** The defaults of the configuration: an evaluation judges as the service would. */
export const SERVICE = configSchema.parse({});
export const EVALUATE_WORKERS = Math.min(8, availableParallelism());

/** Models to evaluate with; to be closed once. */
export interface EvaluationPool extends InferencePort {
  close(): Promise<void>;
}

/** Workers with a detector and a classifier; the caller closes the pool. */
export async function openPool(
  options: Pick<EvaluateArguments, 'detector' | 'detectorSize'>,
  classifierModelDir: string,
): Promise<EvaluationPool> {
  const { crop, input } = await readManifest(classifierModelDir);
  const pool = await InferencePool.open({
    workers: EVALUATE_WORKERS,
    maxQueue: 4 * EVALUATE_WORKERS,
    workerOptions: {
      engine: 'auto',
      detectorModelDir: await namedModelFolder(options.detector ?? SERVICE.detection.model),
      classifierModelDir,
      detectorWidth: options.detectorSize,
      detectorHeight: options.detectorSize,
      threadsPerWorker: 1,
    },
  });
  return {
    detect: (pixels, scoreThreshold) => pool.detect(pixels, scoreThreshold),
    classify: (crops) => pool.classify(crops),
    close: () => pool.close(),
    ...(crop?.portraits === 'whole' && input.widthPx !== null
      ? { wholePortraits: { sizePx: input.widthPx, marginRatio: crop.marginRatio } }
      : {}),
  };
}

export function judgeRules(options: EvaluateArguments): JudgeRules {
  const { detection, classification } = SERVICE;
  return {
    scoreThreshold: options.scoreThreshold ?? detection.scoreThreshold,
    minCertainty: options.minCertainty,
    minFaceScore: options.minFaceScore ?? classification.minFaceScore,
    analysedPx: options.detectorSize,
    ...(options.minFacePx === undefined ? {} : { minLabelledPx: options.minFacePx }),
    crop: {
      ...classification,
      minFacePx: options.minFace ?? classification.minFacePx,
      minSharpness: options.minSharpness ?? classification.minSharpness,
    },
  };
}
