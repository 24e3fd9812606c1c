import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contactSheet, worstErrors } from './contact-sheet.js';
import { evaluationPage } from './evaluation-page.js';
import type { EvaluateReport } from './evaluation-report.js';
import type { JudgedPicture } from './judge-pictures.js';
import { reliabilitySvg } from './reliability-svg.js';

const WORST_COUNT = 64;

export interface WrittenBeside {
  /** `suspects.html` is written beside the report, which names it. */
  readonly hasSuspects: boolean;
}

/**
 * Writes `report.json`, `report.html` (readable without a network), `reliability.svg` and, when anything was
 * wrong, `worst-errors.jpg` into `outDir`.
 */
export async function writeEvaluation(
  outDir: string,
  report: EvaluateReport,
  judged: readonly JudgedPicture[],
  { hasSuspects }: WrittenBeside,
): Promise<void> {
  const worst = worstErrors(
    judged.flatMap(({ faces }) => faces),
    WORST_COUNT,
  );
  const reliability = reliabilitySvg(report.reliability, report.ece);
  await writeFile(join(outDir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(outDir, 'reliability.svg'), reliability);
  if (worst.length > 0) await writeFile(join(outDir, 'worst-errors.jpg'), await contactSheet(worst));
  await writeFile(
    join(outDir, 'report.html'),
    evaluationPage(report, { reliability, worstCount: worst.length, hasSuspects }),
  );
}
