import { basename } from 'node:path';
import type { BoxCount } from '../training/evaluation/false-boxes.js';
import { countFalseBoxes, type FalseBoxReport } from '../training/evaluation/false-boxes.js';
import type { EvaluateArguments } from './commands/evaluate.js';
import { EVALUATE_WORKERS, judgeRules, openPool, SERVICE } from './evaluate-models.js';
import { namedModelFolder } from './model-folders.js';
import { printJson, printLine } from './output.js';
import { stepProgress } from './step-progress.js';

/** `evaluate --faceless`: every box is a false one. */
export async function evaluateFaceless(
  dataDir: string,
  options: EvaluateArguments,
  signal: AbortSignal,
): Promise<void> {
  const modelDir = await namedModelFolder(options.model);
  const detectorDir = await namedModelFolder(options.detector ?? SERVICE.detection.model);
  const pool = await openPool(options, modelDir);
  try {
    const report = await countFalseBoxes({
      ...{ dataDir, model: basename(modelDir), detector: basename(detectorDir), inference: pool },
      rules: judgeRules(options),
      violations: SERVICE.policy.labels,
      concurrency: EVALUATE_WORKERS,
      progress: stepProgress(),
      signal,
    });
    if (options.json) printJson(report);
    else printFalseBoxes(report);
  } finally {
    await pool.close();
  }
}

function printFalseBoxes({ model, detector, data, count, falseBoxes, thresholds }: FalseBoxReport): void {
  printLine(`${model} with ${detector} on ${data}: ${count} pictures without a face`);
  printLine(
    `thresholds: detection ${thresholds.detectionScore}, face ${thresholds.minFaceScore}, label ${thresholds.minCertainty}; boxes in 100 pictures, in brackets 95 %`,
  );
  const { detected, shown, judged, violations } = falseBoxes.stages;
  for (const [what, boxes] of Object.entries({ detected, shown, judged, violations }))
    printLine(`  ${what.padEnd(12)} ${inWords(boxes)}`);
  printLine(
    `  shown by outcome: ${Object.entries(falseBoxes.byOutcome)
      .map(([outcome, boxes]) => `${outcome} ${boxes}`)
      .join(', ')}`,
  );
  for (const groups of [falseBoxes.byPart, falseBoxes.byKind])
    for (const [name, stages] of Object.entries(groups ?? {}))
      printLine(
        `  ${name.padEnd(20)} ${String(stages.pictures).padStart(4)} pictures; in 100: detected ${stages.detected.per100.toFixed(1)}, shown ${stages.shown.per100.toFixed(1)}, judged ${stages.judged.per100.toFixed(1)}, violations ${stages.violations.per100.toFixed(1)}`,
      );
}

function inWords({ count, per100, per100Interval, picturesWithAny }: BoxCount): string {
  const within = `${per100Interval.low.toFixed(1)}–${per100Interval.high.toFixed(1)}`;
  return `${per100.toFixed(1)} (${within}): ${count} boxes in ${picturesWithAny} pictures`;
}
