import { type Command, Option } from 'commander';
import { note, printJson, printLine } from '../output.js';

interface SetupCommandOptions {
  cpu?: true;
  cuda?: true;
  wheel?: string[];
  force?: true;
  remove?: true;
  json?: true;
}

export function register(program: Command): void {
  const setup = program.command('setup').description('Set up parts that npm cannot install.');
  setup
    .command('tensorflow')
    .description(
      'Set up native TensorFlow.js from PyPI and npm alone: download TensorFlow, build the binding, load it once.',
    )
    .addOption(new Option('--cpu', 'for CPUs (default without an NVIDIA GPU)').conflicts('cuda'))
    .addOption(new Option('--cuda', 'for NVIDIA GPUs, with CUDA and cuDNN (default with one; 3.4 GB)'))
    .option('--wheel <files...>', 'take these wheels instead of downloading them')
    .option('--force', 'build again although it is there')
    .addOption(
      new Option('--remove', 'take everything away again').conflicts(['cpu', 'cuda', 'wheel', 'force']),
    )
    .option('--json', 'print the report as JSON')
    .action(async (options: SetupCommandOptions) => {
      const [{ setupTensorFlow, removeTensorFlow }, { withSignals }, { stepProgress }] = await Promise.all([
        import('../../setup/setup-tensorflow.js'),
        import('../signals.js'),
        import('../step-progress.js'),
      ]);
      const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
      if (options.remove) {
        const report = await removeTensorFlow();
        if (options.json) return printJson(report);
        return printLine(
          report.removed.length === 0
            ? 'native TensorFlow is not set up: nothing to remove'
            : `native TensorFlow is removed, ${gigabytes(report.freedBytes)} are free again`,
        );
      }
      await withSignals(async (signal) => {
        const variant = options.cuda ? 'cuda' : options.cpu ? 'cpu' : undefined;
        const report = await setupTensorFlow({
          variant,
          wheels: options.wheel,
          force: options.force,
          signal,
          progress: { ...stepProgress(), phase: (label) => note(`maskwatch: ${label} …`) },
        });
        if (options.json) return printJson(report);
        const how = { 'set-up': 'is set up', linked: 'is linked again', 'already-there': 'is already there' };
        printLine(
          `native TensorFlow ${report.tensorflow} (${report.variant}) ${how[report.state]}: ${gigabytes(report.diskBytes)} in ${report.folder}`,
        );
      });
    });
}
