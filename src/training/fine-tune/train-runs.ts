import { meanNetwork } from '../export/blend-networks.js';
import type { Network } from '../export/network.js';
import type { FineTuneOptimisation, FineTuneRecipe } from '../recipes/fine-tune-recipe.js';
import type { EpochFigures } from '../report/epoch-figures.js';
import type { JudgedValidation } from './judge-validation.js';
import { stepsPerRun, type TrainNetworkOptions, trainNetwork } from './train-network.js';

export interface TrainRunsOptions
  extends Pick<TrainNetworkOptions, 'bank' | 'judge' | 'checkpoint' | 'signal'> {
  /** Steps of all runs that are done, and a few words on how it goes. */
  readonly onProgress: (done: number, note: string) => void;
  readonly onEpoch: (figures: EpochFigures) => void;
}

export interface TrainedRuns {
  readonly network: Network;
  readonly judged: JudgedValidation;
  /** Of all runs, counted through. */
  readonly epochs: readonly EpochFigures[];
  /** The best epoch of the best run. */
  readonly bestEpoch: number;
  readonly runs: {
    /** Validation loss of each run's best epoch. */
    readonly losses: readonly number[];
    /** Of the mean of their weights; null after one run. */
    readonly meanLoss: number | null;
    /** What is kept: the mean, or a run (from 1). */
    readonly kept: 'mean' | number;
  };
  /** Steps that an earlier process had done; 0 when this one began anew. */
  readonly resumedAtStep: number;
}

/** Steps of all runs when none stops early. */
export function mostSteps(optimisation: FineTuneOptimisation): number {
  return stepsPerRun(optimisation) * optimisation.runs;
}

/**
 * Trains as often as the recipe says, each time from `initial` with chance falling otherwise, and keeps the mean of
 * the runs' best weights where its validation loss is lower than that of every run. Rejects as {@link trainNetwork}.
 */
export async function trainRuns(
  initial: Network,
  recipe: FineTuneRecipe,
  options: TrainRunsOptions,
): Promise<TrainedRuns> {
  const { checkpoint, onProgress, onEpoch, ...rest } = options;
  const { seed, runs } = recipe.optimisation;
  const perRun = stepsPerRun(recipe.optimisation);
  const done: { network: Network; judged: JudgedValidation; bestEpoch: number }[] = [];
  const epochs: EpochFigures[] = [];
  let resumedAtStep = 0;
  let last = '';
  for (let run = 0; run < runs; run++) {
    const before = epochs.length;
    const trained = await trainNetwork(initial, {
      ...rest,
      recipe: { ...recipe, optimisation: { ...recipe.optimisation, seed: seed + run } },
      checkpoint: { ...checkpoint, path: `${checkpoint.path}.${run + 1}` },
      onStep: (steps, loss) => onProgress(run * perRun + steps, `loss ${loss.toFixed(3)}${last}`),
      onEpoch: (figures) => {
        const numbered = { ...figures, epoch: before + figures.epoch };
        onEpoch(numbered);
        last = `, epoch ${numbered.epoch}: validation macro-F1 ${figures.validationMacroF1!.toFixed(4)}`;
      },
    });
    resumedAtStep += trained.resumedAtStep;
    epochs.push(...trained.epochs.map((figures) => ({ ...figures, epoch: before + figures.epoch })));
    done.push({ ...trained, bestEpoch: before + trained.bestEpoch });
  }
  const losses = done.map(({ judged }) => judged.loss);
  const bestRun = losses.indexOf(Math.min(...losses));
  const best = done[bestRun]!;
  const base = { epochs, bestEpoch: best.bestEpoch, resumedAtStep };
  if (runs === 1) return { ...best, ...base, runs: { losses, meanLoss: null, kept: 1 } };
  const network = meanNetwork(done.map((run) => run.network) as [Network, ...Network[]]);
  const judged = await options.judge(network);
  const isBetter = judged.loss < best.judged.loss;
  const kept = { losses, meanLoss: judged.loss, kept: isBetter ? ('mean' as const) : bestRun + 1 };
  return { ...(isBetter ? { network, judged } : best), ...base, runs: kept };
}
