import type { ErrorShape } from '../src/lib/errors.js';
import type { EngineInfo, WorkerOptions } from './protocol.js';

/*
 * What a process that tries one engine (engine-probe.ts) and the one that asks it say to each other.
 */

/** Argument of the process, as JSON. */
export interface ProbeSpec {
  readonly engine: Exclude<WorkerOptions['engine'], 'auto'>;
  readonly device: NonNullable<WorkerOptions['device']>;
  /** Of one operation. */
  readonly threads: number;
  /** null = do not load one. */
  readonly detector: {
    readonly modelDir: string;
    readonly widthPx: number;
    readonly heightPx: number;
  } | null;
  readonly classifierDir: string | null;
}

/** Runs a model again and again for about `budgetMs`, once at the least; the first run of a batch size never counts. */
export type ProbeQuestion =
  | { readonly kind: 'detect'; readonly budgetMs: number }
  | { readonly kind: 'classify'; readonly batchSize: number; readonly budgetMs: number }
  /** The classifier's scores of four crops of noise, always the same. */
  | { readonly kind: 'scores' };

export type ProbeAnswer =
  /** Comes first, unasked: the engine and the models are loaded and have run once. */
  | { readonly kind: 'ready'; readonly info: EngineInfo; readonly loadMs: number }
  /** Median time of one run, ms. */
  | { readonly kind: 'time'; readonly ms: number; readonly runs: number }
  | { readonly kind: 'scores'; readonly scores: readonly number[] }
  | { readonly kind: 'failed'; readonly error: ErrorShape };
