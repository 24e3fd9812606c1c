import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { WorkerOptions } from '../workers/protocol.js';
import type { Config } from './config/schema.js';
import { chooseEngine, type EngineQuestion } from './inference/choose-engine.js';
import { modelsDir } from './lib/package-paths.js';
import type { Log } from './observability/logging.js';

/** Worker threads beyond this bring memory, not speed: each holds both models. */
const MAX_AUTO_WORKERS = 8;

/** What the worker threads are started with, and how many. */
export interface EngineSettings {
  readonly workers: number;
  readonly workerOptions: WorkerOptions;
}

type EngineConfig = Pick<Config, 'inference' | 'detection' | 'classification'>;

/** What is asked of an engine by a service of this configuration, `workers` of which share the cores. */
export function engineQuestion(
  { inference, detection, classification }: EngineConfig,
  workers: number,
): EngineQuestion {
  return {
    detectorModelDir: join(modelsDir(), detection.model),
    classifierModelDir: join(modelsDir(), classification.model),
    detectorWidth: detection.widthPx,
    detectorHeight: detection.heightPx,
    threads: Math.max(1, Math.floor(availableParallelism() / workers)),
    device: inference.device,
  };
}

/** Threads that a configuration asks for; on a GPU one is enough, and more of them would each take its memory. */
export function workerCount({ inference }: Pick<Config, 'inference'>, isGpu: boolean): number {
  if (inference.workers !== 'auto') return inference.workers;
  return isGpu ? 1 : Math.min(MAX_AUTO_WORKERS, availableParallelism());
}

/**
 * The engine of a configuration; `auto` is measured for about a second, once per machine and model, and then
 * remembered. Throws as `chooseEngine` does.
 */
export async function settleEngine(config: EngineConfig, log: Log): Promise<EngineSettings> {
  const { engine, device } = config.inference;
  const question = engineQuestion(config, workerCount(config, false));
  const { detectorModelDir, classifierModelDir, detectorWidth, detectorHeight } = question;
  const models = { detectorModelDir, classifierModelDir, detectorWidth, detectorHeight };
  const choice =
    engine === 'auto'
      ? await chooseEngine(question, {
          onMeasure: () => log.info('measuring the inference engines of this machine, once'),
        })
      : null;
  if (!choice) {
    const workers = workerCount(config, false);
    return { workers, workerOptions: { ...models, engine, device, threadsPerWorker: question.threads } };
  }
  const workers = workerCount(config, choice.isGpu);
  return {
    workers,
    workerOptions: {
      ...models,
      engine: choice.engine,
      device: choice.device,
      chosenBecause: choice.reason,
      threadsPerWorker: Math.max(1, Math.floor(availableParallelism() / workers)),
    },
  };
}
