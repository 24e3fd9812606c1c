import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Guardian } from './guardian.js';
import { endProcesses } from './leftovers.js';
import { formatMark, OWNER_VARIABLE, ourselves } from './owner-mark.js';
import { diesWithParent, tiePrefix } from './parent-death-signal.js';
import { processTable } from './process-table.js';

/*
 * No ffmpeg outlives its owner (docs/adr/0009-no-orphans.md). On Linux the kernel ends it with its parent; on Windows
 * too, Node putting every child into a job object that ends with it; where neither holds, a guardian does.
 */

/** A command that does not outlive us: `file`, `args` before the program's own, and options for `spawn`. */
export interface OwnedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: Pick<SpawnOptions, 'env' | 'argv0'>;
  /** `NAME=value` in the environment of this one run and of whatever it starts, see {@link endRun}. */
  readonly runMark: string;
}

const RUN_VARIABLE = 'MASKWATCH_RUN';

/** What ends a program when its owner is gone: the kernel, the container or job object around both, or a guardian. */
export type Keeper = 'kernel' | 'container' | 'job_object' | 'guardian';

/** The first call for a program tries it out, which takes some 0.1 s. */
export async function keeperOf(path: string): Promise<Keeper> {
  if (process.platform === 'win32') return 'job_object';
  // The first process of a container takes all others along; and it would have to bury what the trial leaves.
  if (process.pid === 1) return 'container';
  return (await diesWithParent(path)) ? 'kernel' : 'guardian';
}

const living = new Set<ChildProcess>();
let isWatching = false;
let guardian: Guardian | undefined;

/**
 * How to start the program at `path`; tell {@link killWithOwner} of it then. The child is that program itself,
 * whatever is put before it. The first call for a program tries it out, see {@link keeperOf}.
 */
export async function ownedCommand(path: string): Promise<OwnedCommand> {
  const mark = formatMark(await ourselves());
  const run = randomUUID();
  const runMark = `${RUN_VARIABLE}=${run}`;
  const options = {
    env: { ...process.env, [OWNER_VARIABLE]: mark.slice(OWNER_VARIABLE.length + 1), [RUN_VARIABLE]: run },
  };
  const keeper = await keeperOf(path);
  if (keeper === 'kernel') {
    const [file, ...args] = tiePrefix();
    return { file, args: [...args, path], options, runMark };
  }
  if (keeper !== 'guardian') return { file: path, args: [], options, runMark };
  const isLinux = process.platform === 'linux';
  guardian ??= new Guardian({ mark, isNeeded: () => living.size > 0, from: isLinux ? 'proc' : 'ps' });
  guardian.ensure();
  // macOS keeps the environment of some signed programs to itself, but no arguments.
  const named = isLinux ? options : { ...options, argv0: `ffmpeg ${mark}` };
  return { file: path, args: [], options: named, runMark };
}

/**
 * Ends whatever still carries the mark of a run: what a script started as a child instead of becoming it (`exec`), and
 * so outlived the script. Never rejects.
 */
export async function endRun(runMark: string): Promise<void> {
  const table = processTable();
  const entries = await table.all().catch(() => []);
  const left = entries.filter(({ isZombie, environment }) => !isZombie && environment.includes(runMark));
  await endProcesses(left, table).catch(() => {});
}

/** Remembers a child until it is gone and kills it when this process exits first, in whatever way it can notice. */
export function killWithOwner(child: ChildProcess): void {
  if (child.pid === undefined) return; // It was not started.
  if (!isWatching) {
    isWatching = true;
    process.once('exit', () => {
      for (const other of living) other.kill('SIGKILL');
    });
  }
  living.add(child);
  child.once('exit', () => living.delete(child));
}

/** Children that have not ended yet. For tests and diagnostics. */
export function livingChildPids(): number[] {
  return [...living].flatMap((child) => (child.pid === undefined ? [] : [child.pid]));
}

/** The guardian's process id where there is one. For tests and diagnostics. */
export function guardianPid(): number | null {
  return guardian?.pid ?? null;
}
