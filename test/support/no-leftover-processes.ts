import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const VARIABLE = 'MASKWATCH_TEST_RUN';

interface Leftover {
  pid: number;
  command: string;
}

/**
 * Every process started by a test inherits this run's id in its environment, also when its parent is gone. The
 * run fails when one is still there at the end (Linux; elsewhere nothing is checked).
 */
export default function setup(): () => Promise<void> {
  const id = randomUUID();
  process.env[VARIABLE] = id;
  return async () => {
    const deadlineMs = Date.now() + 5000;
    let left = leftovers(id);
    while (left.length > 0 && Date.now() < deadlineMs) {
      await sleep(100);
      left = leftovers(id);
    }
    if (left.length === 0) return;
    for (const { pid } of left) kill(pid);
    const list = left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n');
    // vitest prints an error of this hook but does not fail for it.
    process.exitCode = 1;
    throw new Error(`processes were left running after the tests (now killed):\n${list}`);
  };
}

function leftovers(id: string): Leftover[] {
  if (process.platform !== 'linux') return [];
  const found: Leftover[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${VARIABLE}=${id}`)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // The runner's own forks end after this hook; a zombie has no command line.
      if (command === '' || command.includes('/vitest/dist/') || command.startsWith('node (vitest')) continue;
      // esbuild and the like are the runner's own helpers.
      if (command.includes('/esbuild')) continue;
      found.push({ pid, command: command.slice(0, 200) });
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
