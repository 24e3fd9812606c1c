import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { open, readFile, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';

/*
 * Linux kills a process together with its parent if it asked for that (prctl(2), PR_SET_PDEATHSIG): the kernel does
 * it, whatever the parent dies of and however deaf the child is. util-linux's setpriv asks and becomes ffmpeg.
 */

/**
 * setpriv may come too late, the owner having died since the fork: then the parent is another, and nothing is
 * started. From prctl on the signal is certain, so that looking after it leaves no gap. `$0` is the owner.
 */
const START_IF_OWNED = '[ "$PPID" = "$0" ] || exit 1; exec "$@"';

/**
 * What to put before a command so that it dies with us. Its process id stays the child's. The signal comes at the
 * end of the *thread* that started it: a worker's children end with the worker.
 */
export function tiePrefix(): readonly [string, ...string[]] {
  return ['setpriv', '--pdeathsig', 'KILL', '--', 'sh', '-c', START_IF_OWNED, String(process.pid)];
}

const ties = new Map<string, Promise<boolean>>();

/**
 * Whether this program, started with {@link tiePrefix}, certainly dies with its parent. Tried once for each, not
 * believed: some systems have no setpriv or one that cannot ask, and some programs lose what was asked for. A trial
 * that the system had no means for says nothing of the program: `false` for now, and tried again the next time.
 */
export function diesWithParent(path: string): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(false);
  let tie = ties.get(path);
  if (!tie) {
    tie = tryOut(path).catch(() => {
      ties.delete(path);
      return false;
    });
    ties.set(path, tie);
  }
  return tie;
}

/** Waits for input that never comes. */
const TRIAL_ARGUMENTS = [
  '-nostdin',
  '-f',
  'rawvideo',
  '-video_size',
  '16x16',
  '-i',
  'pipe:0',
  '-f',
  'null',
  '-',
];
const TRIAL_MS = 5000;

/** No memory, no process or no file handle to be had. */
const SHORTAGES: readonly unknown[] = ['ENOMEM', 'EAGAIN', 'EMFILE', 'ENFILE'];

function isShortage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && SHORTAGES.includes(error.code);
}

/**
 * Looks at it while it runs; it is our own child and never an orphan, so that no zombie is left to a lazy init.
 * Rejects where the trial could not be made.
 */
function tryOut(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const [setpriv, ...prefix] = tiePrefix();
    const trial = spawn(setpriv, [...prefix, path, ...TRIAL_ARGUMENTS], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const timer = setTimeout(() => trial.kill('SIGKILL'), TRIAL_MS);
    let said = '';
    let look: Promise<boolean> | undefined;
    const finish = () => {
      clearTimeout(timer);
      resolve(look ?? false);
    };
    trial.once('error', (error) => {
      if (isShortage(error)) reject(error);
      finish();
    });
    trial.once('close', finish);
    trial.stdin.on('error', () => {});
    trial.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // Its first words: whatever stood before it is gone.
      if (look || !/^ffmpeg version /m.test(said)) return;
      look = keepsWish(trial.pid ?? 0, path).catch((error: unknown) => {
        if (isShortage(error)) reject(error);
        return false;
      });
      look.finally(() => trial.kill('SIGKILL'));
    });
  });
}

/**
 * The kernel forgets the wish exactly when it sets AT_SECURE for the new program (setuid, setgid, file capabilities,
 * a security module: begin_new_exec in fs/exec.c). A script or launcher in between may have done so unseen, or
 * have started ffmpeg as a child of its own: then the process is not the file that was asked for.
 */
async function keepsWish(pid: number, path: string): Promise<boolean> {
  if ((await readlink(`/proc/${pid}/exe`)) !== realpathSync(path)) return false;
  await using program = await open(`/proc/${pid}/exe`);
  // EI_CLASS of the ELF header: 1 has words of 4 bytes, 2 of 8 (elf(5)).
  const { buffer } = await program.read(new Uint8Array(5), 0, 5, 0);
  return readAuxiliaryValue(await readFile(`/proc/${pid}/auxv`), AT_SECURE, buffer[4] === 1 ? 4 : 8) === 0;
}

/** `AT_SECURE` in getauxval(3). */
const AT_SECURE = 23;

/** A value of /proc/PID/auxv, pairs of words (proc(5)); `null` when it is not there. */
export function readAuxiliaryValue(auxv: Buffer, type: number, wordBytes: 4 | 8): number | null {
  const isLittle = endianness() === 'LE';
  const word = (at: number): number => {
    if (wordBytes === 4) return isLittle ? auxv.readUInt32LE(at) : auxv.readUInt32BE(at);
    return Number(isLittle ? auxv.readBigUInt64LE(at) : auxv.readBigUInt64BE(at));
  };
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes)
    if (word(at) === type) return word(at + wordBytes);
  return null;
}
