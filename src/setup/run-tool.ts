import { spawn } from 'node:child_process';

export interface ToolRun {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signalName: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the tool and everything that it started; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

/** Kept of what a tool says, characters from the end. */
const KEPT_CHARACTERS = 64 * 1024;

/** Runs a program to its end. Rejects when it cannot be started (`code` ENOENT, EACCES), or with the reason of `signal`. */
export function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolRun> {
  const { signal } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: a compiler's and pip's own children end with it.
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS);
    });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(kill, options.timeoutMs);
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
    };
    signal?.addEventListener('abort', kill, { once: true });
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('close', (exitCode, signalName) => {
      end();
      if (signal?.aborted) reject(signal.reason);
      else resolve({ exitCode, signalName, stdout, stderr });
    });
  });
}

/** The last lines of what a tool said, for a message. */
export function lastLines(text: string, count = 4): string {
  return text.trim().split('\n').slice(-count).join('\n').slice(-800);
}
