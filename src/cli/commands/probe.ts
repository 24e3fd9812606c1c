import { type Command, Option } from 'commander';
import type { ProbeTarget, ProbeTransport } from '../../probe/probe-target.js';
import { parsePositive } from '../parse-options.js';

interface ProbeCommandOptions {
  config?: string;
  username?: string;
  passwordFile?: string;
  transport?: ProbeTransport;
  seconds: number;
  json?: true;
}

export function register(program: Command): void {
  program
    .command('probe')
    .description(
      'Look at a camera, or all of a configuration: stream, faces, light, angle, and what to improve.',
    )
    .argument('[target...]', 'an address or a file; with --config ids of cameras (default: all enabled)')
    .option('-c, --config <file>', 'the cameras of this configuration')
    .option('-u, --username <name>', 'user for the camera, any characters')
    .option(
      '--password-file <file>',
      'file that holds the password, any characters (or set MASKWATCH_PROBE_PASSWORD)',
    )
    .addOption(
      new Option(
        '-t, --transport <name>',
        'RTSP transport (default: auto; with --config the camera’s)',
      ).choices(['auto', 'tcp', 'udp', 'http']),
    )
    .option('-s, --seconds <n>', 'how long to look at the pictures', parsePositive, 10)
    .option('--json', 'print one line of JSON a camera')
    .addHelpText(
      'after',
      '\nHave somebody stand where people pass. Exit code 1 when a camera cannot be watched. docs/probe.md explains the score.',
    )
    .action(async (targets: string[], options: ProbeCommandOptions) => {
      const [{ runProbe }, { withSignals }, { ProbeProgress }, { printReport, printTable }, output] =
        await Promise.all([
          import('../../probe/run-probe.js'),
          import('../signals.js'),
          import('../probe-progress.js'),
          import('../probe-output.js'),
          import('../output.js'),
        ]);
      const chosen = await chooseTargets(targets, options);
      await withSignals(async (signal) => {
        const count = chosen.targets.length;
        const progress = new ProbeProgress({ seconds: options.seconds, cameras: count });
        const reports: Parameters<typeof printTable>[0][number][] = [];
        try {
          const failed = await runProbe(
            {
              ...chosen,
              watchMs: options.seconds * 1000,
              onReport: (report) => (options.json ? output.printJson(report) : reports.push(report)),
              onDone: (done) => progress.done(done),
              onPhase: (phase, transport) => progress.phase(phase, transport),
            },
            signal,
          );
          progress.stop();
          if (options.config === undefined) reports.forEach(printReport);
          else if (!options.json) printTable(reports);
          if (failed > 0) process.exitCode = 1;
          if (failed > 0 && options.config !== undefined)
            output.note(`maskwatch: ${failed} of ${count} ${count === 1 ? 'camera' : 'cameras'} failed`);
        } finally {
          progress.stop();
        }
      });
    });
}

async function chooseTargets(targets: readonly string[], options: ProbeCommandOptions) {
  const [{ AppError }, { configSchema }, { targetOfAddress, targetsOfConfig }] = await Promise.all([
    import('../../lib/errors.js'),
    import('../../config/schema.js'),
    import('../../probe/probe-target.js'),
  ]);
  const usage = (message: string) =>
    new AppError('CLI_USAGE', message, { hint: 'see maskwatch probe --help', exitCode: 2 });
  const { config: file, username, transport } = options;
  if (file !== undefined) {
    if (username !== undefined || options.passwordFile !== undefined)
      throw usage('user and password of a configuration stand in its file');
    const { loadConfig } = await import('../../config/load-config.js');
    const rules = await loadConfig(file);
    return { rules, targets: targetsOfConfig(rules, targets, transport) };
  }
  const [address] = targets;
  if (address === undefined) throw usage('an address (or --config) is missing');
  if (targets.length > 1)
    throw usage('only one address can be probed at a time; --config takes many cameras');
  const rules = configSchema.parse({});
  const password = await readPassword(options);
  const target = targetOfAddress(address, {
    ...{ username, password, transport, analysis: rules.analysis, cwd: process.cwd() },
  });
  if (
    options.passwordFile !== undefined &&
    target.username === undefined &&
    /^(rtsps?|https?):/i.test(target.url)
  )
    throw usage('there is a password but no user: give --username');
  const chosen: ProbeTarget[] = [target];
  return { rules, targets: chosen };
}

/** Throws `AppError` CLI_USAGE where the file cannot be read. */
async function readPassword({ passwordFile }: ProbeCommandOptions): Promise<string | undefined> {
  if (passwordFile === undefined) return process.env.MASKWATCH_PROBE_PASSWORD || undefined;
  const [{ resolveSecret }, { AppError }] = await Promise.all([
    import('../../config/secrets.js'),
    import('../../lib/errors.js'),
  ]);
  const found = resolveSecret({ file: passwordFile }, { env: {}, baseDir: process.cwd() });
  if (found.ok) return found.value.reveal();
  throw new AppError('CLI_USAGE', found.message, { exitCode: 2 });
}
