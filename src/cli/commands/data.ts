import type { Command } from 'commander';
import type { DataCheck } from '../../training/dataset/check-data.js';
import { LABEL_MAP_HELP } from '../label-map-help.js';
import { note, printJson, printLine } from '../output.js';
import { withSignals } from '../signals.js';

interface CheckArguments {
  readonly corrections?: readonly string[] | false;
  readonly labelMap?: string;
  readonly split?: string;
  readonly cache?: string;
  readonly json?: true;
}

export function register(program: Command): void {
  const data = program.command('data').description('Look at labelled pictures before training.');
  data
    .command('check')
    .description(
      'Count what readers find in folders, name what they leave out, and find duplicates; trains nothing.',
    )
    .argument('<dir...>', 'folders with labelled pictures, read as train reads them')
    .option(
      '--corrections <file...>',
      'corrections of labels and boxes (default: those that ship with our models)',
    )
    .option('--no-corrections', 'labels and boxes as they are given')
    .option('--split <file>', 'the split.json whose parts are told (default: that of our own models)')
    .option('--cache <dir>', 'where fingerprints are kept (default: temporary files)')
    .option('--label-map <file-or-json>', LABEL_MAP_HELP)
    .option('--json', 'print the result as JSON')
    .action((dirs: string[], options: CheckArguments) =>
      withSignals((signal) => check(dirs, options, signal)),
    );
}

async function check(dataDirs: string[], options: CheckArguments, signal: AbortSignal): Promise<void> {
  const [
    { checkData },
    { loadTrainingData },
    { openReading },
    { describeCorrections },
    { shippedSplit },
    { production },
    { stepProgress },
    { tmpdir },
    { join },
  ] = await Promise.all([
    import('../../training/dataset/check-data.js'),
    import('../../training/training-data.js'),
    import('../../training/dataset/problem-list.js'),
    import('../../training/dataset/correct-pictures.js'),
    import('../../training/dataset/shipped-split.js'),
    import('../../training/recipes/production.js'),
    import('../step-progress.js'),
    import('node:os'),
    import('node:path'),
  ]);
  const { reading, problems } = await openReading(options.labelMap);
  const { split } = production;
  const { pictures, parts, corrections } = await loadTrainingData(
    {
      dataDirs,
      cacheDir: options.cache ?? join(tmpdir(), 'maskwatch-training'),
      splitFile: options.split ?? shippedSplit(),
      reading,
      progress: stepProgress(),
      signal,
      ...(options.corrections === undefined ? {} : { corrections: options.corrections }),
    },
    split,
  );
  const result = checkData(pictures, parts, split.twinMaxDistance);
  if (options.json) return printJson({ ...result, corrections, leftOut: problems.all });
  for (const line of describeCorrections(corrections)) note(line);
  printCheck(result);
  for (const { path, message } of problems.all) printLine(`left out: ${path} ${message}`);
}

function printCheck({ datasets, twins }: DataCheck): void {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  for (const [name, { kind, pictures, faces, parts, unclassified, ignored, notFaces }] of Object.entries(
    datasets,
  )) {
    printLine(`${name}: ${pictures} ${kind}s (${list(parts)}); faces: ${list(faces)}`);
    if (kind === 'scene')
      printLine(
        `  ${unclassified} faces without a label, ${ignored} ignored regions, ${notFaces} known false boxes`,
      );
  }
  const same = twins.filter(({ isSameFile }) => isSameFile).length;
  printLine(`twins: ${same} groups of one file, ${twins.length - same} of pictures that look the same`);
  for (const { pictures, isSameFile, hasOtherLabels, part } of twins)
    printLine(
      `  ${part}, ${isSameFile ? 'same file' : 'alike'}${hasOtherLabels ? ', OTHER LABELS' : ''}: ${pictures.join(' = ')}`,
    );
}
