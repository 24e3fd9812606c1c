import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A process that owns cameras (cameras-owner.ts), as its test sees it. */
export class OwnedCameras {
  readonly started: number[] = [];
  readonly withFrames: number[] = [];
  /** As last told. */
  guardian: number | null = null;
  readonly #events = new EventEmitter();

  private constructor(readonly process: ChildProcess) {
    if (!process.stdout) throw new Error('the owner has no output');
    createInterface({ input: process.stdout }).on('line', (line) => {
      const fact = JSON.parse(line) as { started?: number; frames?: number; guardian: number | null };
      if (fact.started !== undefined) this.started.push(fact.started);
      if (fact.frames !== undefined) this.withFrames.push(fact.frames);
      this.guardian = fact.guardian;
      this.#events.emit('change');
    });
  }

  static start(
    urls: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
  ): OwnedCameras {
    const script = fileURLToPath(new URL('cameras-owner.ts', import.meta.url));
    const owner = spawn(process.execPath, ['--import', 'tsx', script, ...urls], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return new OwnedCameras(owner);
  }

  /** Looks after each line by itself: several come in one read when two processes start at once. */
  until(isTrue: (cameras: OwnedCameras) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#events.off('change', look);
        settle();
      };
      const look = () => {
        if (isTrue(this)) end(resolve);
      };
      const timer = setTimeout(() => end(() => reject(new Error('not within 30 s'))), 30_000);
      this.#events.on('change', look);
      look();
    });
  }

  /** Signals its guardian. Throws where there is none: process 0 would be everybody of this group. */
  signalGuardian(signal: NodeJS.Signals): number {
    if (this.guardian === null) throw new Error('the owner has no guardian');
    process.kill(this.guardian, signal);
    return this.guardian;
  }

  /** Without warning. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

/**
 * Waits until none of these is running. A zombie counts as gone: whose owner was killed is buried by the system's
 * init, which may take its time. Returns those that still run after `timeoutMs`.
 */
export async function stillRunning(pids: readonly number[], timeoutMs: number): Promise<number[]> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let left = pids.filter(isRunning);
  // Of a process that is nobody's child no event tells; so it is looked at.
  while (left.length > 0 && !deadline.aborted) {
    await sleep(20);
    left = left.filter(isRunning);
  }
  return left;
}

const IDLE_MS = 300;

/** Waits until these read nothing for a while, e.g. because their server is frozen and what was under way is used up. */
export async function untilIdle(pids: readonly number[]): Promise<void> {
  // Of what does not happen no event tells.
  for (let before = '', now = bytesRead(pids); now !== before; now = bytesRead(pids)) {
    before = now;
    await sleep(IDLE_MS);
  }
}

const bytesRead = (pids: readonly number[]) =>
  pids.map((pid) => /^rchar: \d+/.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[0]).join();

/** Linux only. */
export function isRunning(pid: number): boolean {
  const state = processState(pid);
  return state !== null && state !== 'Z' && state !== 'X';
}

/** The letter of /proc/PID/stat (proc(5)); `null`: no such process. */
export function processState(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? null;
  } catch {
    return null;
  }
}
