import { availableParallelism, cpus, totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { packageVersion } from '../../lib/package-paths.js';

/** Where and with what a model was trained. */
export interface RunFacts {
  /** `YYYY-MM-DDTHH:MM:SSZ`, when the report was made. */
  readonly at: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly platform: string;
  };
}

/** `backend`: what {@link startTensorFlow} returned. */
export function runFacts(backend: string): RunFacts {
  return {
    at: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    versions: {
      maskwatch: packageVersion(),
      node: process.versions.node,
      'TensorFlow.js': tf.version_core,
      'training backend': backend,
    },
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryGb: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform} ${process.arch}`,
    },
  };
}
