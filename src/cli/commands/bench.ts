import { type Command, Option } from 'commander';
import { printJson, printLine } from '../output.js';
import { parseCount, parsePositive } from '../parse-options.js';

const PATH_SECONDS = 60;
const ENGINES_SECONDS = 20;

interface BenchCommandOptions {
  cameras: number;
  seconds?: number;
  rate: number;
  engine: 'auto' | 'onnxruntime' | 'tfjs';
  json?: true;
}

export function register(program: Command): void {
  program
    .command('bench')
    .description('Measure this machine: frames, latency, CPU against the bare cost, memory.')
    .argument('[name]', 'path: from RTSP to a Socket.IO client; engines: what runs the models', 'path')
    .option('-n, --cameras <n>', 'simulated cameras, 1280×720 at 25 fps', parseCount, 8)
    .option(
      '-s, --seconds <s>',
      `time to measure for (default: path ${PATH_SECONDS}, engines ${ENGINES_SECONDS})`,
      parsePositive,
    )
    .option('-r, --rate <fps>', 'analysed frames per second and camera', parsePositive, 5)
    .addOption(
      new Option('-e, --engine <name>', 'inference engine')
        .choices(['auto', 'onnxruntime', 'tfjs'])
        .default('auto'),
    )
    .option('--json', 'print the report as JSON')
    .action(async (name: string, options: BenchCommandOptions) => {
      const [{ runBench }, { withSignals }, { PhaseProgress }, { AppError }] = await Promise.all([
        import('../../bench/run-bench.js'),
        import('../signals.js'),
        import('../phase-progress.js'),
        import('../../lib/errors.js'),
      ]);
      if (name === 'engines') return withSignals((signal) => benchEngines(options, signal));
      if (name !== 'path')
        throw new AppError('BENCH_UNKNOWN', `there is no benchmark called ${name}`, {
          hint: 'there are two: path, the whole way from RTSP to a Socket.IO client, and engines, what runs the models',
          exitCode: 2,
        });
      await withSignals(async (signal) => {
        const progress = new PhaseProgress();
        const report = await runBench({
          cameras: options.cameras,
          seconds: options.seconds ?? PATH_SECONDS,
          rateFps: options.rate,
          engine: options.engine,
          signal,
          onPhase: (phase) => progress.phase(phase),
          onProgress: (done, total) => progress.waited(done, total),
        }).finally(() => progress.stop());
        if (options.json) {
          printJson(report);
          return;
        }
        const { frames, latencyMs, cpuSeconds, bareCpuSeconds, rssBytes } = report;
        const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
        printLine(`${report.cameras} cameras for ${report.seconds} s, ${report.versions.engine}`);
        printLine(
          `frames      ${frames.analysed} of ${frames.due} due analysed (${(frames.ratio * 100).toFixed(2)} %)`,
        );
        for (const [reason, count] of Object.entries(frames.dropped))
          printLine(`  dropped   ${count} ${reason}`);
        printLine(
          `latency     p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms, max ${latencyMs.max} ms`,
        );
        printLine(
          `CPU         ${cpuSeconds.total} s: service ${cpuSeconds.service} s, ffmpeg ${cpuSeconds.ffmpeg} s`,
        );
        printLine(
          `bare        ${bareCpuSeconds.total} s: decode ${bareCpuSeconds.decode} s, detector ${bareCpuSeconds.detection} s, classifier ${bareCpuSeconds.classification} s`,
        );
        printLine(`efficiency  ${report.efficiency}`);
        printLine(
          `memory      service ${megabytes(rssBytes.service)}, ffmpeg ${megabytes(rssBytes.ffmpegPerCamera)} a camera`,
        );
      });
    });
}

/** Every engine of this machine on the shipped models, one thread each, in turns. */
async function benchEngines(options: BenchCommandOptions, signal: AbortSignal): Promise<void> {
  const [{ compareEngines }, { engineQuestion }, { configSchema }, { PhaseProgress }] = await Promise.all([
    import('../../bench/compare-engines.js'),
    import('../../assemble-engine.js'),
    import('../../config/schema.js'),
    import('../phase-progress.js'),
  ]);
  const progress = new PhaseProgress();
  const report = await compareEngines({
    question: { ...engineQuestion(configSchema.parse({}), 1), threads: 1 },
    seconds: options.seconds ?? ENGINES_SECONDS,
    signal,
    onPhase: (phase) => progress.phase(phase),
  }).finally(() => progress.stop());
  if (options.json) return printJson(report);
  const { models, picture, rounds, engines, refusals, auto } = report;
  printLine(
    `${models.detector} at ${picture}, ${models.classifier}, one thread, middle of ${rounds} rounds in turns`,
  );
  for (const { name, version, detectMs, cropsPerSecond, best, slowerThanBest, scatter } of engines) {
    printLine(`${name} ${version}`);
    printLine(`  picture  ${detectMs} ms (${slowerThanBest.picture} × the fastest)`);
    printLine(
      `  crops    ${best.cropsPerSecond} a second at ${best.batchSize} at once (${slowerThanBest.crop} × the fastest's time); rounds differ by ${scatter} ×`,
    );
    const rates = Object.entries(cropsPerSecond).map(([size, rate]) => `${rate} at ${size}`);
    printLine(`           ${rates.join(', ')}`);
  }
  for (const { name, reason } of refusals) printLine(`${name} is out: ${reason}`);
  if (auto) printLine(`auto takes ${auto.name}: ${auto.costMs} ms for a picture and two crops`);
}
