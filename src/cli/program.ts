import { readdirSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { AppError } from '../lib/errors.js';
import { packageVersion } from '../lib/package-paths.js';
import { guardOutput, keepStderrForErrors, reportError } from './output.js';

/** What every file in `src/cli/commands/` exports: it adds its command to the program. */
export interface CommandModule {
  register(program: Command): void;
}

/**
 * The program with every command of `src/cli/commands/`: a file there is a command, there is no list to keep.
 * Command files import only what `--help` needs; their actions import the rest when they run.
 */
export async function createProgram(): Promise<Command> {
  const program = new Command('maskwatch')
    .description('Watches cameras and tells who is not wearing a face mask properly.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ sortSubcommands: true })
    .configureOutput({ outputError: () => {} })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a component is missing, 129/130/143 stopped by SIGHUP/SIGINT/SIGTERM.',
    )
    .exitOverride();
  const folder = new URL('./commands/', import.meta.url);
  const files = readdirSync(folder).filter((file) => /(?<!\.d)\.[jt]s$/.test(file));
  for (const file of files.sort()) {
    const module = (await import(new URL(file, folder).href)) as CommandModule;
    module.register(program);
  }
  return program;
}

/**
 * Runs one command line (`process.argv` without node and script) and returns its exit code: what the action
 * left in `process.exitCode`, or the code of the error that it threw. Never throws.
 */
export async function run(argv: readonly string[]): Promise<number> {
  guardOutput();
  const json = wantsJson(argv);
  keepStderrForErrors(json);
  let commands: readonly string[] = [];
  try {
    const program = await createProgram();
    commands = program.commands.map((command) => command.name());
    if (argv.length === 0) {
      process.stderr.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportError(error instanceof CommanderError ? usageError(error, helpFor(argv, commands)) : error, {
      json,
    });
  }
}

/** Where the options of what was asked for are told. */
function helpFor(argv: readonly string[], commands: readonly string[]): string {
  const command = argv.find((argument) => !argument.startsWith('-'));
  return command !== undefined && commands.includes(command)
    ? `maskwatch ${command} --help`
    : 'maskwatch --help';
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

/** Commander's message is `error: …`, on a further line perhaps a suggestion in brackets. */
function usageError(error: CommanderError, help: string): AppError {
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = more.join(' ').replace(/^\((.*)\)$/, '$1');
  const isHelp = error.code === 'commander.help';
  // Not what was given to an option that does not exist: it may have been meant as a password.
  const message = first.replace(/^(unknown option '[^=']*)=.*/, "$1'");
  return new AppError('CLI_USAGE', isHelp ? 'a command is missing' : message, {
    hint: suggestion || `see ${help}`,
    exitCode: 2,
  });
}
