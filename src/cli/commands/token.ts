import { type Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../../lib/errors.js';
import { note, printJson, printLine } from '../output.js';

interface TokenOptions {
  config: string;
  subject: string;
  cameras: 'all' | string[];
  expires: number | 'never';
  json?: true;
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

export function register(program: Command): void {
  program
    .command('token')
    .description('Make a token with which a client of Socket.IO and the page signs in.')
    .requiredOption(
      '-c, --config <file>',
      'the configuration; the token is signed with its server.auth.secret',
    )
    .requiredOption('--subject <name>', 'who it is for; stands beside verdicts')
    .requiredOption('--cameras <ids>', 'what it may see: "all", or ids with commas between', parseCameras)
    .addOption(
      new Option('--expires <time>', 'how long it is good, e.g. 12h, 30d, 8w, or "never"')
        .argParser(parseDuration)
        .default(30 * SECONDS.d, '30d'),
    )
    .option('--json', 'print the result as JSON')
    .action(makeToken);
}

async function makeToken(options: TokenOptions): Promise<void> {
  const [{ loadConfig }, { TokenAuthority }] = await Promise.all([
    import('../../config/load-config.js'),
    import('../../http/auth.js'),
  ]);
  const config = await loadConfig(options.config);
  if (config.server.auth === undefined)
    throw new AppError('CONFIG_NO_AUTH', `there is no key to sign with in ${options.config}`, {
      path: 'server.auth.secret',
      hint: 'set server.auth.secret, e.g. { env: MASKWATCH_SECRET }',
      exitCode: 2,
    });
  if (options.cameras !== 'all') await checkCameras(options.cameras, config.cameras);
  const { subject, cameras, expires } = options;
  const token = await new TokenAuthority(config.server.auth.secret.reveal()).issue({
    subject,
    cameras,
    ...(expires === 'never' ? {} : { expiresInSeconds: expires }),
  });
  if (!options.json) {
    printLine(token);
    if (expires === 'never') note('maskwatch: this token never expires; only a new secret revokes it');
    return;
  }
  const expiresAt = expires === 'never' ? null : new Date(Date.now() + expires * 1000).toISOString();
  printJson({ token, subject, cameras, expiresAt });
}

async function checkCameras(wanted: readonly string[], cameras: readonly { id: string }[]): Promise<void> {
  const ids = cameras.map((camera) => camera.id);
  const missing = wanted.find((id) => !ids.includes(id));
  if (missing === undefined) return;
  const { closest } = await import('fastest-levenshtein');
  throw new AppError('CLI_USAGE', `there is no camera ${missing}`, {
    hint: ids.length === 0 ? 'the configuration has no cameras' : `did you mean ${closest(missing, ids)}?`,
    exitCode: 2,
  });
}

function parseCameras(text: string): 'all' | string[] {
  if (text === 'all') return 'all';
  const ids = text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  if (ids.length === 0) throw new InvalidArgumentError('it must be "all" or ids of cameras.');
  return ids;
}

function parseDuration(text: string): number | 'never' {
  if (text === 'never') return 'never';
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (!Number(count) || unit === undefined)
    throw new InvalidArgumentError('it must be a time such as 12h, 30d or 8w, or "never".');
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
