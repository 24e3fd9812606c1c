import { type Command, Option } from 'commander';
import { SINGLE_CROP_MIN_CERTAINTY } from '../../classification/single-crop.js';
import { AppError } from '../../lib/errors.js';
import { LABEL_MAP_HELP } from '../label-map-help.js';
import { withSignals } from '../signals.js';

export interface EvaluateArguments {
  readonly crops?: string;
  readonly scenes?: string;
  readonly faceless?: string;
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
  readonly promote?: true;
  readonly tags?: string;
  readonly tracksPerHour: number;
  readonly trackSeconds: number;
  readonly cropLikeness: number;
  readonly alarmBudget: number;
  readonly corrections?: readonly string[] | false;
  readonly labelMap?: string;
  readonly out?: string;
  readonly suspects: number;
  readonly json?: true;
}

/** Measured on the clips of the data folder by scripts/measure-crop-likeness.ts. */
const CROP_LIKENESS = 0.9;
/** As many as somebody looks at in one sitting. */
const SUSPECTS = 200;

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
    .addOption(
      new Option(
        '--faceless <dir>',
        'pictures that show no face, at any depth: every box is a false one',
      ).conflicts(['crops', 'scenes', 'only', 'complete', 'compare', 'gate', 'promote', 'out']),
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
      "boxes that show a face with a lower probability, by detector and classifier, are none (default: the service's)",
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
    .option('--promote', 'as --gate; one that is better takes the place of the folder of --compare')
    .option(
      '--tags <file>',
      'what people said of labelled faces (hand, hair …), for slices; see docs/evaluation.md',
    )
    .option('--tracks-per-hour <n>', 'for the expected alarms: people that pass a camera', number(0, 1e6), 60)
    .option('--track-seconds <s>', 'for the expected alarms: how long each is in view', number(1, 600), 8)
    .option(
      '--crop-likeness <share>',
      'for the expected alarms: how far the crops of one person fail together, 0 to 1',
      number(0, 1),
      CROP_LIKENESS,
    )
    .option('--alarm-budget <n>', 'false alarms wanted per camera and day at the most', number(0, 1e6), 1)
    .option('--out <dir>', 'write a readable report with pictures there')
    .option(
      '--suspects <n>',
      'with --out: doubtful labels and faces without a label on suspects.html, so many of each; 0 for no page',
      wholeNumber(2000),
      SUSPECTS,
    )
    .option(
      '--corrections <file...>',
      'corrections of labels and boxes (default: those that ship with our models)',
    )
    .option('--no-corrections', 'labels and boxes as they are given')
    .option('--label-map <file-or-json>', LABEL_MAP_HELP)
    .option('--json', 'print the result as JSON')
    .action((options: EvaluateArguments) => withSignals((signal) => run(options, signal)));
}

async function run(options: EvaluateArguments, signal: AbortSignal): Promise<void> {
  if (options.detectorSize % 32 !== 0)
    throw new AppError('CLI_USAGE', '--detector-size must be a multiple of 32', { exitCode: 2 });
  for (const name of ['gate', 'promote'] as const)
    if (options[name] && options.compare === undefined)
      throw new AppError('CLI_USAGE', `--${name} needs the present model: --compare ID`, { exitCode: 2 });
  if (options.faceless !== undefined) {
    const { evaluateFaceless } = await import('../evaluate-faceless.js');
    return evaluateFaceless(options.faceless, options, signal);
  }
  const { evaluateLabelled } = await import('../evaluate-labelled.js');
  await evaluateLabelled(options, signal);
}

function number(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= lowest && value <= highest) return value;
    throw new AppError('CLI_USAGE', `${text} is no number from ${lowest} to ${highest}`, { exitCode: 2 });
  };
}

function wholeNumber(highest: number): (text: string) => number {
  const parse = number(0, highest);
  return (text) => {
    const value = parse(text);
    if (Number.isInteger(value)) return value;
    throw new AppError('CLI_USAGE', `${text} is no whole number`, { exitCode: 2 });
  };
}
