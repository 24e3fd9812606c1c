import { type Command, InvalidArgumentError } from 'commander';
import { AppError } from '../../lib/errors.js';
import type { AnyRecipe } from '../../training/recipes/index.js';
import type { PaperRecipe } from '../../training/recipes/paper.js';
import { LABEL_MAP_HELP } from '../label-map-help.js';
import { note, printJson, printLine } from '../output.js';
import { withSignals } from '../signals.js';
import { stepProgress } from '../step-progress.js';

interface TrainArguments {
  readonly recipe: string;
  readonly data: string[];
  readonly corrections?: readonly string[] | false;
  readonly labelMap?: string;
  readonly out: string;
  readonly split?: string;
  readonly detector?: string;
  readonly from?: string;
  readonly cache?: string;
  readonly run?: string;
  readonly resume?: true;
  readonly seeds?: number;
  readonly json?: true;
}

export function register(program: Command): void {
  program
    .command('train')
    .description('Train a mask classifier from labelled pictures.')
    .requiredOption('--recipe <name>', 'what to train and how, e.g. baseline')
    .requiredOption(
      '--data <dir...>',
      'folders with labelled pictures, read recursively: annotations.jsonl, COCO, YOLO, Pascal VOC, or a folder per label',
    )
    .requiredOption('--out <dir>', "the model's folder; its last part becomes the model's name")
    .option(
      '--split <file>',
      'what this split.json holds back stays held back (default: that of the model it goes on from, else of our own models)',
    )
    .option(
      '--detector <id>',
      "finds the faces to cut, a folder of models/ or a path (default: the service's)",
    )
    .option(
      '--from <id>',
      'what the recipe refine goes on from, a folder of models/ or a path (default: mask-mobilenetv2)',
    )
    .option('--cache <dir>', 'where prepared pictures and features are kept (default: temporary files)')
    .option(
      '--corrections <file...>',
      'corrections of labels and boxes (default: those that ship with our models)',
    )
    .option('--no-corrections', 'labels and boxes as they are given')
    .option('--run <dir>', 'where checkpoint, TensorBoard log and report go (default: in the cache)')
    .option('--resume', 'go on where an interrupted run of the same recipe and data stopped')
    .option('--seeds <n>', 'runs of the recipe paper, each with a seed of its own (default: 1)', parseSeeds)
    .option('--label-map <file-or-json>', LABEL_MAP_HELP)
    .option('--json', 'print the result as JSON')
    .action((options: TrainArguments) => withSignals((signal) => train(options, signal)));
}

async function train(options: TrainArguments, signal: AbortSignal): Promise<void> {
  const [
    { runTrain },
    { shippedSplit, splitFileOf },
    { describeCorrections },
    { openReading },
    { openEngineFaceFinder },
    { findRecipe },
    { modelsDir },
    { namedModelFolder },
    { configSchema },
    { join, resolve },
  ] = await Promise.all([
    import('../../training/train.js'),
    import('../../training/dataset/shipped-split.js'),
    import('../../training/dataset/correct-pictures.js'),
    import('../../training/dataset/problem-list.js'),
    import('../../training/dataset/engine-face-finder.js'),
    import('../../training/recipes/index.js'),
    import('../../lib/package-paths.js'),
    import('../model-folders.js'),
    import('../../config/schema.js'),
    import('node:path'),
  ]);
  const recipe = findRecipe(options.recipe);
  refuseUnused(options, recipe);
  if (recipe.kind === 'paper') return trainPaper(recipe, options, signal);
  const { reading, problems } = await openReading(options.labelMap);
  // Crops as the service will cut them: by its own detector.
  const { detection, classification } = configSchema.parse({});
  const { model, widthPx: sizePx, scoreThreshold } = detection;
  const detector = { dir: await namedModelFolder(options.detector ?? model), sizePx, scoreThreshold };
  const startDir = goesOn(recipe) ? await namedModelFolder(options.from ?? classification.model) : undefined;
  if (startDir !== undefined && resolve(startDir) === resolve(options.out))
    throw new AppError('CLI_USAGE', `--out is the model that the recipe ${options.recipe} goes on from`, {
      hint: 'name another folder; evaluate --promote puts the new model into the place of the old one if it is better',
      exitCode: 2,
    });
  const finder = await openEngineFaceFinder({
    ...{ modelDir: detector.dir, sizePx },
    scoreThreshold: recipe.kind === 'fine-tune' ? recipe.negatives.carefulScore : 0.3,
  });
  try {
    const report = await runTrain({
      recipe: options.recipe,
      dataDirs: options.data,
      outDir: options.out,
      finder,
      detector,
      backboneDir: join(modelsDir(), 'imagenet-mobilenetv2'),
      startDir,
      progress: stepProgress(),
      signal,
      // What was held back from the model that this goes on from stays so.
      splitFile: options.split ?? (startDir === undefined ? shippedSplit() : await splitFileOf(startDir)),
      reading,
      ...(options.corrections === undefined ? {} : { corrections: options.corrections }),
      ...(options.cache === undefined ? {} : { cacheDir: options.cache }),
      ...(options.run === undefined ? {} : { runDir: options.run }),
      ...(options.resume ? { isResumed: true } : {}),
    });
    for (const line of [...describeCorrections(report.corrections), ...problems.describe()]) note(line);
    if (options.json) {
      printJson({ ...report, ...problems.leftOut() });
      return;
    }
    const { validation, epochs, bestEpoch, seconds } = report;
    printLine(`${report.model} → ${report.out}`);
    printLine(
      `validation: accuracy ${validation.accuracy.toFixed(4)}, macro-F1 ${validation.macroF1.toFixed(4)} (${validation.count} samples)`,
    );
    note(`best epoch ${bestEpoch} of ${epochs.length}, ${Math.round(seconds)} s`);
  } finally {
    await finder.close();
  }
}

/** Options that a kind of recipe has no use for; what is given and left aside without a word would mislead. */
const UNUSED: Readonly<Record<AnyRecipe['kind'], readonly (keyof TrainArguments)[]>> = {
  paper: ['corrections', 'labelMap', 'split', 'detector', 'resume'],
  'fine-tune': ['seeds'],
  'frozen-head': ['seeds', 'resume'],
};

function goesOn(recipe: AnyRecipe): boolean {
  return recipe.kind === 'fine-tune' && recipe.startsFrom === 'model';
}

function refuseUnused(options: TrainArguments, recipe: AnyRecipe): void {
  const { kind } = recipe;
  const unused = [...UNUSED[kind], ...(goesOn(recipe) ? [] : (['from'] as const))];
  const given = unused.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const flags = given.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  throw new AppError('CLI_USAGE', `the recipe ${options.recipe} takes no ${flags.join(', ')}`, {
    hint: kind === 'paper' ? 'it goes on by itself where an interrupted run stopped' : 'leave it out',
    exitCode: 2,
  });
}

async function trainPaper(recipe: PaperRecipe, options: TrainArguments, signal: AbortSignal): Promise<void> {
  const [{ describeSeeds, runPaperTraining }, { modelsDir }, { basename, join, resolve }, { tmpdir }] =
    await Promise.all([
      import('../../training/paper/run-paper.js'),
      import('../../lib/package-paths.js'),
      import('node:path'),
      import('node:os'),
    ]);
  const cacheDir = options.cache ?? join(tmpdir(), 'maskwatch-training');
  const report = await runPaperTraining({
    recipe,
    dataDirs: options.data,
    outDir: options.out,
    backboneDir: join(modelsDir(), 'imagenet-mobilenetv2'),
    seedCount: options.seeds ?? 1,
    ...(options.cache === undefined ? {} : { cacheDir: options.cache }),
    logsDir: options.run ?? join(cacheDir, 'runs', basename(resolve(options.out))),
    progress: stepProgress(),
    signal,
  });
  if (options.json) return printJson(report);
  for (const line of describeSeeds(report)) printLine(line);
}

function parseSeeds(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 100) return count;
  throw new InvalidArgumentError('a whole number from 1 to 100');
}
