import { type Owner, ourselves, readMark } from './owner-mark.js';
import { type ProcessEntry, type ProcessTable, processTable } from './process-table.js';

/**
 * Ends what an earlier life left behind: processes of this user that carry a Maskwatch's mark (see
 * {@link Owner}) while that Maskwatch is gone. Children of one that lives are not touched, nor those of another
 * user or container. Returns how many there were.
 */
export async function endLeftovers(table: ProcessTable = processTable()): Promise<number> {
  return endProcesses(leftovers(await table.all(), await ourselves(), process.getuid?.() ?? -1), table);
}

/** Kills processes of the table at once. Returns how many there still were. */
export async function endProcesses(found: readonly ProcessEntry[], table: ProcessTable): Promise<number> {
  let ended = 0;
  for (const { pid, startedAt } of found) {
    // Just before the kill once more: the id may belong to another by now.
    if ((await table.one(pid))?.startedAt !== startedAt) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended += 1;
    } catch {
      // It ended by itself.
    }
  }
  return ended;
}

/** Those of `entries` whose owner is gone, seen by the process `self` of the user `userId`. */
export function leftovers(
  entries: readonly ProcessEntry[],
  self: Pick<Owner, 'pid' | 'space'>,
  userId: number,
): ProcessEntry[] {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  return entries.filter((entry) => {
    if (entry.userId !== userId || entry.isZombie || entry.pid === self.pid) return false;
    const owner = readMark(entry.environment);
    return owner !== null && owner.space === self.space && !isAlive(owner, byPid.get(owner.pid));
  });
}

function isAlive(owner: Owner, entry: ProcessEntry | undefined): boolean {
  if (!entry || entry.isZombie) return false;
  // Where the start is not known, one with this id is taken for the owner: better a leftover than a wrong kill.
  return owner.startedAt === 0 || Math.abs(entry.startedAt - owner.startedAt) <= START_TOLERANCE;
}

/** Some ps reckon the start anew from the uptime, a second more or less; ticks and macOS's seconds are exact. */
const START_TOLERANCE = 1;
