import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process as the system describes it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly userId: number;
  /** Ticks since the machine's start (Linux) or seconds since 1970: the same number for as long as it lives. */
  readonly startedAt: number;
  /** It has ended and its parent has not asked for its exit code. */
  readonly isZombie: boolean;
  /** Its environment as far as we may read it, with or without its arguments; empty where we may not. */
  readonly environment: string;
}

export interface ProcessTable {
  /** Every process that can be seen. */
  all(): Promise<ProcessEntry[]>;
  /** `null` when there is none of this id. */
  one(pid: number): Promise<ProcessEntry | null>;
}

/** The table of this system. Windows has none here: there nothing is left to be found (docs/closing.md). */
export function processTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  if (platform === 'win32') return { all: async () => [], one: async () => null };
  return platform === 'linux' ? procTable : psTable;
}

/** From /proc (proc(5)). */
export const procTable: ProcessTable = {
  async all() {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const entries: ProcessEntry[] = [];
    // One after the other: a few hundred small reads, and no few hundred open files.
    for (const pid of pids) {
      const entry = await procTable.one(pid);
      if (entry) entries.push(entry);
    }
    return entries;
  },
  async one(pid) {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
      const status = await readFile(`/proc/${pid}/status`, 'latin1');
      // Refused for processes of others; empty for a zombie.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return { ...parseStat(stat), userId: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1), environment };
    } catch {
      return null; // It ended meanwhile.
    }
  },
};

/** The command in brackets may itself hold brackets and spaces: what counts is the last one. */
function parseStat(stat: string): Pick<ProcessEntry, 'pid' | 'startedAt' | 'isZombie'> {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid: Number.parseInt(stat, 10),
    startedAt: Number(fields[19]),
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

/** From ps, as macOS and the BSDs have it. Environments of one's own processes stand behind their arguments. */
export const psTable: ProcessTable = {
  async all() {
    // -E is macOS's; elsewhere the e without a dash asks for the environment.
    return parsePs(await ps(['-axEww', ...COLUMNS]).catch(() => ps(['axeww', ...COLUMNS])));
  },
  async one(pid) {
    // ps ends with 1 when there is no such process.
    return parsePs(await ps(['-ww', ...COLUMNS, '-p', String(pid)]).catch(() => ''))[0] ?? null;
  },
};

const COLUMNS = ['pid', 'uid', 'lstart', 'stat', 'command'].flatMap((name) => ['-o', `${name}=`]);

async function ps(args: readonly string[]): Promise<string> {
  // Its dates in English and without a time zone, so that they can be read again.
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = await promisify(execFile)('ps', args, { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

export function parsePs(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\w{3} \w{3} [\d ]\d [\d:]{8} \d{4})\s+(\S+)\s+(.*)$/.exec(line);
    if (!match) return [];
    const [, pid, userId, started = '', state = '', environment = ''] = match;
    return {
      ...{ pid: Number(pid), userId: Number(userId), startedAt: Date.parse(`${started} UTC`) / 1000 },
      ...{ isZombie: state.startsWith('Z'), environment },
    };
  });
}
