import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface CliResult {
  /** Exit code; `null` when a signal ended the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
}

/** Starts `maskwatch` from source, as `node --import tsx src/main.ts ARGUMENTS` (no build is needed). */
export function startCli(args: readonly string[], options: CliOptions = {}): ChildProcess {
  return startScript('src/main.ts', args, options);
}

/** Starts a TypeScript file of the repository in a process of its own. */
export function startScript(
  path: string,
  args: readonly string[] = [],
  options: CliOptions = {},
): ChildProcess {
  return spawn(process.execPath, ['--import', import.meta.resolve('tsx'), `${root}${path}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd ?? root,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
  });
}

/** Runs a command of `maskwatch` to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return finished(startCli(args, options));
}

/** Everything that a process says until it and its output end. */
export function finished(child: ChildProcess): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Resolves once a process has written a line that holds `text` to stdout. */
export function lineWith(child: ChildProcess, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      seen += part;
      const line = seen.split('\n').find((candidate) => candidate.includes(text));
      if (line !== undefined) resolve(line);
    });
    child.on('close', (code) =>
      reject(new Error(`ended (${code}) before it wrote "${text}"; wrote: ${seen}`)),
    );
  });
}
