import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AppError } from '../lib/errors.js';
import { describeCorrections } from '../training/dataset/correct-pictures.js';
import { openReading } from '../training/dataset/problem-list.js';
import { splitFileOf } from '../training/dataset/shipped-split.js';
import { type EvaluateOptions, type EvaluateReport, runEvaluate } from '../training/evaluate.js';
import type { AlarmRules } from '../training/evaluation/alarm-budget.js';
import { promoteOnlyIfBetter } from '../training/evaluation/promote.js';
import type { EvaluateArguments } from './commands/evaluate.js';
import { EVALUATE_WORKERS, judgeRules, openPool, SERVICE } from './evaluate-models.js';
import { printSummary } from './evaluate-summary.js';
import { namedModelFolder } from './model-folders.js';
import { note, printJson } from './output.js';
import { stepProgress } from './step-progress.js';

/** `evaluate --crops` and `--scenes`. */
export async function evaluateLabelled(options: EvaluateArguments, signal: AbortSignal): Promise<void> {
  const dataDir = options.scenes ?? options.crops;
  if (dataDir === undefined)
    throw new AppError('CLI_USAGE', 'say what to judge: --crops DIR, --scenes DIR or --faceless DIR', {
      exitCode: 2,
    });
  const { reading, problems } = await openReading(options.labelMap);
  const modelDir = await namedModelFolder(options.model);
  const incumbentDir = options.compare === undefined ? null : await namedModelFolder(options.compare);
  const pool = await openPool(options, modelDir);
  let incumbent: { readonly dir: string; readonly pool: typeof pool } | null = null;
  let report: EvaluateReport;
  try {
    if (incumbentDir !== null) incumbent = { dir: incumbentDir, pool: await openPool(options, incumbentDir) };
    const rules = judgeRules(options);
    report = await runEvaluate({
      kind: options.scenes === undefined ? 'crops' : 'scenes',
      dataDir,
      model: basename(modelDir),
      inference: pool,
      rules,
      alarms: alarmRules(options, rules),
      concurrency: EVALUATE_WORKERS,
      isComplete: options.complete ?? false,
      progress: stepProgress(),
      signal,
      ...(options.only ? { only: { splitFile: await splitFileOf(modelDir), part: options.only } } : {}),
      ...(incumbent ? { incumbent: describeIncumbent(incumbent) } : {}),
      reading,
      ...(options.corrections === undefined ? {} : { corrections: options.corrections }),
      ...(options.tags === undefined ? {} : { tagsFile: options.tags }),
      ...(options.out === undefined ? {} : { outDir: options.out }),
      suspects: options.suspects,
    });
    for (const line of [...describeCorrections(report.corrections), ...problems.describe()]) note(line);
    if (options.json) printJson({ ...report, ...problems.leftOut() });
    else printSummary(report);
    if (report.tags && report.tags.unfit > 0)
      note(`tags: ${report.tags.unfit} of ${report.tags.lines} lines fit no judged face`);
    if (options.out !== undefined) {
      note(`report: ${join(options.out, 'report.html')}`);
      if (options.suspects > 0) note(`labels to look at: ${join(options.out, 'suspects.html')}`);
    }
  } finally {
    await incumbent?.pool.close();
    await pool.close();
  }
  const { comparison } = report;
  if (!comparison || incumbentDir === null) return;
  if ((options.gate || options.promote) && !comparison.gate.isBetter)
    throw new AppError('MODEL_NOT_BETTER', comparison.gate.reasons.join('; '));
  if (!options.promote) return;
  await promoteOnlyIfBetter({
    candidateDir: modelDir,
    targetDir: incumbentDir,
    compare: async () => comparison,
  });
  note(`${comparison.candidate} is ${comparison.incumbent} now: ${incumbentDir}`);
}

function describeIncumbent({
  dir,
  pool,
}: {
  readonly dir: string;
  readonly pool: EvaluateOptions['inference'];
}): NonNullable<EvaluateOptions['incumbent']> {
  const splitFile = join(dir, 'split.json');
  return { model: basename(dir), inference: pool, ...(existsSync(splitFile) ? { splitFile } : {}) };
}

function alarmRules(options: EvaluateArguments, { minFaceScore = 0 }: { minFaceScore?: number }): AlarmRules {
  const { policy, classification, analysis } = SERVICE;
  return {
    tracksPerHour: options.tracksPerHour,
    budgetPerDay: options.alarmBudget,
    openThreshold: policy.openThreshold,
    cropLikeness: options.cropLikeness,
    trackSeconds: options.trackSeconds,
    rateFps: analysis.rateFps,
    recheckMs: classification.recheckSeconds * 1000,
    minFaceScore,
    policy: {
      labels: policy.labels,
      closeThreshold: policy.closeThreshold,
      minDurationMs: policy.minDurationSeconds * 1000,
      graceMs: policy.graceSeconds * 1000,
    },
  };
}
