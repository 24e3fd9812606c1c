import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CameraServer } from './camera-servers.js';
import type { Owners } from './owners.js';
import { taggedProcesses } from './tagged-processes.js';

export interface KillResult {
  readonly isDuringStart: boolean;
  readonly isFrozen: boolean;
  /** ffmpegs alive when the owner was killed. */
  readonly running: number;
  /** Until none of them was left, ms; `null`: not within the five seconds. */
  readonly goneAfterMs: number | null;
  /** Command lines of everything that the owner had started and that was alive after five seconds. */
  readonly left: readonly string[];
}

const VARIABLE = 'MASKWATCH_ORPHANS_ROUND';
const COUNT_AFTER_MS = 5000;
const LOOK_EVERY_MS = 20;

/** How long a new owner takes until all its cameras have their ffmpeg, ms. */
export async function measureStart(
  owners: Owners,
  server: CameraServer,
  ffmpegPath: string,
): Promise<number> {
  const tag = randomUUID();
  const startedMs = performance.now();
  const owner = await owners.start(server, ffmpegPath, { [VARIABLE]: tag });
  const isDone = () => taggedProcesses(tag).filter(isReader).length >= server.cameras.length;
  while (!isDone()) {
    if (owner.exitCode !== null) throw new Error(`the owner ended with ${owner.exitCode}`);
    await sleep(LOOK_EVERY_MS);
  }
  const startMs = performance.now() - startedMs;
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  return startMs;
}

const isReader = ({ isFfmpeg, command }: { isFfmpeg: boolean; command: string }) =>
  isFfmpeg && command.includes('rtsp://');

export interface Kill {
  readonly server: CameraServer;
  readonly ffmpegPath: string;
  readonly isDuringStart: boolean;
  /** ms after the start. */
  readonly killAtMs: number;
  readonly freezeAtMs: number | null;
}

/** Starts an owner and kills it. `result` comes five seconds after that. */
export async function killOnce(
  owners: Owners,
  options: Kill,
): Promise<{ readonly result: Promise<KillResult> }> {
  const { server, freezeAtMs, killAtMs } = options;
  const tag = randomUUID();
  const owner = await owners.start(server, options.ffmpegPath, { [VARIABLE]: tag });
  const exited = once(owner, 'exit');
  if (freezeAtMs !== null) {
    await sleep(freezeAtMs);
    server.freeze();
  }
  await sleep(killAtMs - (freezeAtMs ?? 0));
  const running = taggedProcesses(tag).filter(({ isFfmpeg }) => isFfmpeg).length;
  if (owner.exitCode !== null) throw new Error(`the owner ended by itself with ${owner.exitCode}`);
  owner.kill('SIGKILL');
  await exited;
  return { result: watch(tag, running, options) };
}

async function watch(tag: string, running: number, options: Kill): Promise<KillResult> {
  const killedMs = performance.now();
  const endMs = killedMs + COUNT_AFTER_MS;
  let goneAfterMs: number | null = null;
  while (performance.now() < endMs) {
    const isAny = taggedProcesses(tag).some(({ isFfmpeg }) => isFfmpeg);
    if (isAny) goneAfterMs = null;
    else goneAfterMs ??= Math.round(performance.now() - killedMs);
    // Often at first; then only to see that none comes to life.
    await sleep(goneAfterMs === null ? LOOK_EVERY_MS : 500);
  }
  const left = taggedProcesses(tag);
  // What a fault of ours has left must not stay.
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
  const { isDuringStart, freezeAtMs } = options;
  return {
    ...{ isDuringStart, isFrozen: freezeAtMs !== null, running, goneAfterMs },
    left: left.map(({ command }) => command.replace(/\/\/[^@\s]*@/g, '//…@')),
  };
}
