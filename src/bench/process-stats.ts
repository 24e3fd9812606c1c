import { readdirSync, readFileSync } from 'node:fs';
import { AppError } from '../lib/errors.js';

/** What the kernel has counted for a process so far. */
export interface ProcessStats {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
  /** CPU of all its threads, user and system, seconds. */
  readonly cpuSeconds: number;
  /** The same of children that have ended and were waited for, seconds. */
  readonly endedChildrenCpuSeconds: number;
  readonly residentBytes: number;
}

/** Ticks per second of /proc (`getconf CLK_TCK`): 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Parses a line of /proc/PID/stat and the Rss of /proc/PID/statm (proc(5)); pages in bytes. */
export function parseProcStat(stat: string, statm: string, pageBytes = 4096): ProcessStats {
  // The command is in brackets and may itself hold brackets and spaces: what counts is the last one.
  const open = stat.indexOf('(');
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number(stat.slice(0, open).trim()),
    parentPid: field(4),
    command: stat.slice(open + 1, close),
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    endedChildrenCpuSeconds: (field(16) + field(17)) / TICKS_PER_SECOND,
    residentBytes: Number(statm.split(' ')[1]) * pageBytes,
  };
}

/** `null` when there is no such process any more. Throws `AppError` BENCH_UNSUPPORTED without /proc. */
export function readProcess(pid: number): ProcessStats | null {
  try {
    return parseProcStat(
      readFileSync(`/proc/${pid}/stat`, 'utf8'),
      readFileSync(`/proc/${pid}/statm`, 'utf8'),
    );
  } catch {
    if (process.platform !== 'linux')
      throw new AppError(
        'BENCH_UNSUPPORTED',
        'the benchmark reads CPU times from /proc, which only Linux has',
        {
          exitCode: 3,
        },
      );
    return null;
  }
}

/** The living children of a process. */
export function readChildren(parentPid: number): ProcessStats[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? [])
    .filter((stats) => stats.parentPid === parentPid);
}
