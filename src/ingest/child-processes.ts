import type { ChildProcess } from 'node:child_process';

const living = new Set<ChildProcess>();
let isWatching = false;

/**
 * Remembers a child until it is gone and kills it when this process exits first (best effort: nothing runs
 * when the owner is killed with SIGKILL; then ffmpeg ends by itself at its next write, the pipe being closed).
 */
export function killWithOwner(child: ChildProcess): void {
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
