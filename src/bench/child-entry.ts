import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError } from '../lib/errors.js';

/** A process of the benchmark and the one line of JSON that it says first. */
export interface BenchChild<Said> {
  readonly pid: number;
  readonly said: Said;
  /** Ends it (it ends by itself when our end of its standard input closes) and waits until it is gone. */
  close(): Promise<void>;
}

/**
 * Starts a script as a process of its own, so that its CPU time is counted apart, and waits for the first line
 * of JSON on its standard output. Throws `AppError` BENCH_CHILD_FAILED with what it said last.
 */
export async function startChild<Said>(
  script: string | URL,
  args: readonly string[],
  options: { signal: AbortSignal; stop: 'stdin' | 'SIGTERM' },
): Promise<BenchChild<Said>> {
  const path = typeof script === 'string' ? script : fileURLToPath(script);
  const loader = path.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let lastWords = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = `${lastWords}${text}`.slice(-2000);
  });
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    // It did not start: `close` may follow or not.
    child.once('error', (error) => {
      lastWords += error.message;
      resolve();
    });
  });
  // What it did not read says nothing that its end does not.
  child.stdin.on('error', () => {});
  const end = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      if (options.stop === 'SIGTERM') child.kill('SIGTERM');
      child.stdin.end();
    }
    await gone;
  };
  options.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const line = await firstLine(child);
  if (line === null) {
    await end();
    throw new AppError('BENCH_CHILD_FAILED', `a part of the benchmark ended early: ${lastWords.trim()}`);
  }
  return { pid: child.pid as number, said: JSON.parse(line) as Said, close: end };
}

async function firstLine(child: ChildProcess): Promise<string | null> {
  if (!child.stdout) return null;
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    child.stdout.resume();
    return line;
  }
  return null;
}

/** A sibling script, `.ts` when run from source and `.js` when built. */
export function siblingScript(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}
