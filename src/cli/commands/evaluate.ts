import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { SINGLE_CROP_MIN_CERTAINTY } from '../../classification/single-crop.js';
import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import type { EvaluateReport } from '../../training/evaluate.js';
import { LABEL_MAP_HELP } from '../label-map-help.js';
import { note, printJson, printLine } from '../output.js';
import { withSignals } from '../signals.js';
import { stepProgress } from '../step-progress.js';

interface EvaluateArguments {
  readonly crops?: string;
  readonly scenes?: string;
  readonly model: string;
  readonly only?: 'train' | 'validation' | 'test';
  readonly complete?: true;
  readonly scoreThreshold?: number;
  readonly minFace?: number;
  readonly minSharpness?: number;
  readonly minCertainty: number;
  readonly minFaceScore?: number;
  readonly detector?: string;
  readonly detectorSize: number;
  readonly minFacePx?: number;
  readonly compare?: string;
  readonly gate?: true;
  readonly corrections?: readonly string[] | false;
  readonly labelMap?: string;
  readonly out?: string;
  readonly json?: true;
}

export function register(program: Command): void {
  program
    .command('evaluate')
    .description('Judge labelled pictures as the service would, and count.')
    .addOption(
      new Option('--crops <dir>', 'pictures of one person each, a folder per label').conflicts('scenes'),
    )
    .addOption(
      new Option(
        '--scenes <dir>',
        'whole pictures with annotations.jsonl, COCO, YOLO or Pascal VOC',
      ).conflicts('crops'),
    )
    .option('--model <id>', 'a folder of models/, or the path of a model folder', 'mask-mobilenetv2')
    .addOption(
      new Option(
        '--only <part>',
        "only pictures of this part of the model's split.json, or else of models/data/split.json",
      ).choices(['train', 'validation', 'test']),
    )
    .option('--complete', 'every face in the set is labelled: a detection elsewhere is a false alarm')
    .option(
      '--score-threshold <score>',
      "detections below are no faces (default: the service's)",
      number(0, 1),
    )
    .option(
      '--min-face <px>',
      "smaller faces are not assessable, shorter side at the detector's scale (default: the service's)",
      number(0, 1000),
    )
    .option(
      '--min-sharpness <value>',
      "faces less sharp are not assessable (default: the service's)",
      number(0, 1e6),
    )
    .option(
      '--min-certainty <score>',
      'judgements less sure are not assessable; of one crop, where the service adds up those of a track',
      number(0, 1),
      SINGLE_CROP_MIN_CERTAINTY,
    )
    .option(
      '--min-face-score <score>',
      "what the classifier holds for a face with a lower probability is none (default: the service's)",
      number(0, 1),
    )
    .option(
      '--min-face-px <px>',
      'labelled faces smaller are not counted, shorter side with the picture brought to 640 px width',
      number(0, 1000),
    )
    .option('--detector <id>', "face detector, a folder of models/ or a path (default: the service's)")
    .option('--detector-size <px>', 'longer side that pictures are brought to', number(96, 1920), 640)
    .option('--compare <id>', 'the present model, to hold --model against on the same faces')
    .option('--gate', 'exit code 1 unless --model is better than the one given with --compare')
    .option('--out <dir>', 'write a readable report with pictures there')
    .option(
      '--corrections <file...>',
      'corrections of labels and boxes (default: those that ship with our models)',
    )
    .option('--no-corrections', 'labels and boxes as they are given')
    .option('--label-map <file-or-json>', LABEL_MAP_HELP)
    .option('--json', 'print the result as JSON')
    .action((options: EvaluateArguments) => withSignals((signal) => evaluate(options, signal)));
}

async function evaluate(options: EvaluateArguments, signal: AbortSignal): Promise<void> {
  const dataDir = options.scenes ?? options.crops;
  if (dataDir === undefined)
    throw new AppError('CLI_USAGE', 'say what to judge: --crops DIR or --scenes DIR', { exitCode: 2 });
  if (options.detectorSize % 32 !== 0)
    throw new AppError('CLI_USAGE', '--detector-size must be a multiple of 32', { exitCode: 2 });
  if (options.gate && options.compare === undefined)
    throw new AppError('CLI_USAGE', '--gate needs the present model: --compare ID', { exitCode: 2 });
  const [
    { runEvaluate },
    { describeCorrections },
    { openReading },
    { splitFileOf },
    { InferencePool },
    { readManifest },
    { modelFolder },
    { modelsDir },
    { configSchema },
  ] = await Promise.all([
    import('../../training/evaluate.js'),
    import('../../training/dataset/correct-pictures.js'),
    import('../../training/dataset/problem-list.js'),
    import('../../training/dataset/shipped-split.js'),
    import('../../inference/inference-pool.js'),
    import('../../inference/manifest.js'),
    import('../model-folders.js'),
    import('../../lib/package-paths.js'),
    import('../../config/schema.js'),
  ]);
  const { reading, problems } = await openReading(options.labelMap);
  const { detection, classification } = configSchema.parse({});
  const workers = Math.min(8, availableParallelism());
  const folderOf = (name: string) =>
    /[\\/]/.test(name) ? Promise.resolve(resolve(name)) : modelFolder(modelsDir(), name);
  const modelDir = await folderOf(options.model);
  const detectorModelDir = await folderOf(options.detector ?? detection.model);
  const incumbentDir = options.compare === undefined ? null : await folderOf(options.compare);
  const open = async (classifierModelDir: string) => {
    await readManifest(classifierModelDir);
    return InferencePool.open({
      workers,
      maxQueue: 4 * workers,
      workerOptions: {
        engine: 'auto',
        detectorModelDir,
        classifierModelDir,
        detectorWidth: options.detectorSize,
        detectorHeight: options.detectorSize,
        threadsPerWorker: 1,
      },
    });
  };
  const pool = await open(modelDir);
  const incumbentPool = incumbentDir === null ? null : await open(incumbentDir);
  try {
    const report = await runEvaluate({
      kind: options.scenes === undefined ? 'crops' : 'scenes',
      dataDir,
      model: basename(modelDir),
      inference: pool,
      rules: {
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
      },
      concurrency: workers,
      isComplete: options.complete ?? false,
      progress: stepProgress(),
      signal,
      ...(options.only ? { only: { splitFile: await splitFileOf(modelDir), part: options.only } } : {}),
      ...(incumbentDir !== null && incumbentPool
        ? {
            incumbent: {
              model: basename(incumbentDir),
              inference: incumbentPool,
              ...(existsSync(join(incumbentDir, 'split.json'))
                ? { splitFile: join(incumbentDir, 'split.json') }
                : {}),
            },
          }
        : {}),
      reading,
      ...(options.corrections === undefined ? {} : { corrections: options.corrections }),
      ...(options.out === undefined ? {} : { outDir: options.out }),
    });
    for (const line of [...describeCorrections(report.corrections), ...problems.describe()]) note(line);
    if (options.json) printJson({ ...report, ...problems.leftOut() });
    else printSummary(report);
    if (options.gate && report.comparison && !report.comparison.gate.isBetter)
      throw new AppError('MODEL_NOT_BETTER', report.comparison.gate.reasons.join('; '));
    if (options.out !== undefined) note(`report: ${join(options.out, 'report.html')}`);
  } finally {
    await incumbentPool?.close();
    await pool.close();
  }
}

function printSummary(report: EvaluateReport): void {
  const share = (value: number) => `${(value * 100).toFixed(1)} %`;
  printLine(`${report.model} on ${report.data}: ${report.count} faces in ${report.pictures} pictures`);
  printLine(
    `accuracy ${share(report.accuracy)}, macro-F1 ${report.macroF1.toFixed(3)}, ECE ${report.ece.toFixed(3)}`,
  );
  for (const label of MASK_LABELS) {
    const { precision, recall, f1, support } = report.labels[label];
    if (support > 0)
      printLine(
        `  ${label.padEnd(22)} precision ${share(precision)}  recall ${share(recall)}  F1 ${f1.toFixed(3)}  (${support})`,
      );
  }
  if (report.givenTheBox)
    printLine(
      `given the box: accuracy ${share(report.givenTheBox.accuracy)}, macro-F1 ${report.givenTheBox.macroF1.toFixed(3)}, F1 ${MASK_LABELS.map((label) => report.givenTheBox!.labels[label].f1.toFixed(3)).join(' / ')}`,
    );
  if (report.twoLabels) printLine(`two labels: ${report.twoLabels.right} of ${report.twoLabels.count} right`);
  if (report.comparison) {
    const { candidate, incumbent, mcnemar, gate } = report.comparison;
    printLine(
      `${candidate} against ${incumbent}: right alone ${mcnemar.onlyCandidateRight} : ${mcnemar.onlyIncumbentRight} (McNemar p ${mcnemar.pValue.toFixed(4)}); ${gate.isBetter ? 'passes' : 'does not pass'} the gate`,
    );
    for (const reason of gate.reasons) printLine(`  ${reason}`);
  }
  if (report.notAssessable.count > 0) printLine(`not assessable: ${report.notAssessable.count}`);
}

function number(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= lowest && value <= highest) return value;
    throw new AppError('CLI_USAGE', `${text} is no number from ${lowest} to ${highest}`, { exitCode: 2 });
  };
}
