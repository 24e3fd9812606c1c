import { type Command, Option } from 'commander';
import { SINGLE_CROP_MIN_CERTAINTY } from '../../classification/single-crop.js';
import { note, printJson, printLine } from '../output.js';
import { parsePositive } from '../parse-options.js';

interface DetectCommandOptions {
  fps: number;
  model: string;
  engine: 'auto' | 'onnxruntime' | 'tfjs';
  out?: string;
  json?: true;
}

export function register(program: Command): void {
  program
    .command('detect')
    .description('Find and judge the faces in pictures, videos and folders of them.')
    .argument('<file...>', 'pictures, videos, or folders')
    .option('--fps <n>', 'analysed frames per second of a video', parsePositive, 5)
    .option('-m, --model <id>', 'classifier, a folder of models/', 'mask-mobilenetv2')
    .addOption(
      new Option('-e, --engine <name>', 'inference engine')
        .choices(['auto', 'onnxruntime', 'tfjs'])
        .default('auto'),
    )
    .option('-o, --out <dir>', 'write pictures with boxes (of a video one a second) and contact sheets there')
    .option('--json', 'print one line of JSON a picture or analysed frame')
    .addHelpText(
      'after',
      `\nA face in a picture is judged by this crop alone, and told from a score of ${SINGLE_CROP_MIN_CERTAINTY} on; in a video, as by the service, by the crops of its track together.`,
    )
    .action(async (paths: string[], options: DetectCommandOptions) => {
      const [
        { runDetect },
        { withSignals },
        { startProgress },
        { modelFolder },
        { modelsDir },
        { AppError },
        { lineTitle },
      ] = await Promise.all([
        import('../../offline/run-detect.js'),
        import('../signals.js'),
        import('../progress.js'),
        import('../model-folders.js'),
        import('../../lib/package-paths.js'),
        import('../../lib/errors.js'),
        import('../../offline/detection-line.js'),
      ]);
      await modelFolder(modelsDir(), options.model);
      await withSignals(async (signal) => {
        const bars: ReturnType<typeof startProgress>[] = [];
        try {
          const summary = await runDetect({
            paths,
            rateFps: options.fps,
            model: options.model,
            engine: options.engine,
            ...(options.out === undefined ? {} : { outDir: options.out }),
            signal,
            onLine: (line) => {
              if (options.json) printJson(line);
              else if ('error' in line) note(`maskwatch: ${line.error.message}`);
              else printLine(`${lineTitle(line.file, line.timeMs)}: ${inWords(line.faces)}`);
            },
            onProgress: (done, total, what) => {
              if (bars.length === 0) bars.push(startProgress({ label: 'detecting', total, unit: 'files' }));
              bars[0]?.update(done, what);
            },
          });
          for (const sheet of summary.sheets) note(`maskwatch: wrote ${sheet}`);
          if (summary.failed > 0)
            throw new AppError(
              'DETECT_INCOMPLETE',
              `${summary.failed} of ${summary.files} files could not be read`,
            );
        } finally {
          bars[0]?.stop();
        }
      });
    });
}

function inWords(faces: readonly { outcome: string; reason?: string }[]): string {
  if (faces.length === 0) return 'no faces';
  const counts = new Map<string, number>();
  for (const { outcome, reason } of faces) {
    const words = reason === undefined ? outcome : `${outcome} (${reason})`;
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => `${count} ${words}`).join(', ');
}
