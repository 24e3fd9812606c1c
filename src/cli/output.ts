import { redactSecrets } from '../ingest/redact.js';
import { AppError } from '../lib/errors.js';
import { abortRunning, stoppedBy } from './signals.js';

/** One value as one line of JSON on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** One line of a result on stdout. */
export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

let isForPrograms = false;

/**
 * With `--json` stderr holds one JSON object or nothing, unless somebody looks at it: notes and lines of progress
 * are left out from now on where it is no terminal.
 */
export function keepStderrForErrors(json: boolean): void {
  isForPrograms = json && !process.stderr.isTTY;
}

/** Whether what is written to stderr for people would only disturb. */
export function isStderrForPrograms(): boolean {
  return isForPrograms;
}

/** One line for people on stderr: progress, advice, never a result. */
export function note(text: string): void {
  if (!isForPrograms) process.stderr.write(`${text}\n`);
}

/**
 * Tells an error on stderr, as `{"error": {code, message, path?, hint?}}` or for people, and returns the exit
 * code. Addresses in it lose their passwords: people paste them where they do not belong. An unexpected error shows its
 * stack only with MASKWATCH_DEBUG set.
 */
export function reportError(error: unknown, options: { json: boolean }): number {
  const stopped = stoppedBy(error);
  if (stopped) return stopped.exitCode;
  const known =
    error instanceof AppError
      ? error
      : new AppError('INTERNAL_ERROR', error instanceof Error ? error.message : String(error), {
          cause: error,
          hint: 'this is a fault in maskwatch; set MASKWATCH_DEBUG=1 to see where',
        });
  if (options.json) {
    const told = Object.entries(known.toJSON()).map(([key, text]) => [key, redactSecrets(text)]);
    process.stderr.write(`${JSON.stringify({ error: Object.fromEntries(told) })}\n`);
  } else {
    const where = known.path === undefined ? '' : `${known.path}: `;
    process.stderr.write(redactSecrets(`maskwatch: ${where}${known.message}\n`));
    if (known.hint !== undefined) process.stderr.write(redactSecrets(`  hint: ${known.hint}\n`));
  }
  if (process.env.MASKWATCH_DEBUG && error instanceof Error)
    process.stderr.write(redactSecrets(`${error.stack}\n`));
  return known.exitCode;
}

let guarded = false;

/**
 * A reader that closes its end (`maskwatch detect … | head`) ends the command quietly: what is running is
 * aborted so that it can close its children, and nothing is printed.
 */
export function guardOutput(): void {
  if (guarded) return;
  guarded = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!abortRunning('EPIPE')) process.exit(0);
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
