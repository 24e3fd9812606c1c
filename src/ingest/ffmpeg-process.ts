import { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import ffmpeg from 'fluent-ffmpeg';
import type { Clock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import { endRun, killWithOwner, type OwnedCommand, ownedCommand } from './child-processes.js';
import type { FfmpegArguments } from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import { drainWithOneBuffer } from './pipe-drain.js';

export interface FfmpegProcessOptions {
  readonly binary: FfmpegBinary;
  readonly arguments: FfmpegArguments;
  /** Takes what ffmpeg writes. Is not ended. */
  readonly output: Writable;
  /** What it writes: pictures (default), or the list of the stream's packets (see packet-list.ts). */
  readonly outputFormat?: 'rawvideo' | 'framecrc';
  /** Takes it in its place where bytes may be lent instead of given (see pipe-drain.ts). */
  readonly onBytes?: ((chunk: Uint8Array) => void) | undefined;
  /** A line of stderr, with whatever credentials ffmpeg prints. */
  readonly onLine: (line: string) => void;
  readonly onSpawn?: ((pid: number) => void) | undefined;
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly killAfterMs: number;
  readonly clock: Clock;
}

export type ProcessEnd =
  | { readonly kind: 'exited'; readonly exitCode: number | null; readonly signal: string | null }
  | { readonly kind: 'spawn_failed'; readonly message: string };

/** What was killed is gone, and its pipes closed, well within this time, ms. */
const KILLED_WITHIN_MS = 1000;

/**
 * Runs one ffmpeg until it ends by itself or `signal` aborts. Resolves when the process is gone and both of
 * its pipes are read to the end; never rejects. That holds for a script as well that starts ffmpeg as a child.
 */
export async function runFfmpegProcess(
  options: FfmpegProcessOptions,
  signal: AbortSignal,
): Promise<ProcessEnd> {
  let owned: OwnedCommand;
  try {
    owned = await ownedCommand(options.binary.path);
  } catch (error) {
    return { kind: 'spawn_failed', message: messageOf(error) }; // No process to be had for its guardian.
  }
  if (signal.aborted) return { kind: 'spawn_failed', message: 'stopped before' };
  return new Promise((resolve) => {
    const gone = new AbortController();
    const settle = (end: ProcessEnd) => {
      gone.abort();
      signal.removeEventListener('abort', terminate);
      resolve(end);
    };

    const command = boundCommand(options, owned);
    let child: ChildProcess | undefined;

    const terminate = () => {
      if (child) end(child).catch(() => {}); // It was gone in time.
    };
    const end = async (running: ChildProcess) => {
      running.kill('SIGTERM');
      // ffmpeg of 2018 ignores SIGTERM while it waits for a frozen server.
      await options.clock.sleep(options.killAfterMs, gone.signal);
      running.kill('SIGKILL');
      await options.clock.sleep(KILLED_WITHIN_MS, gone.signal);
      // Its pipes are still open: a script is gone, and the ffmpeg that it had started holds them.
      await endRun(owned.runMark);
      await options.clock.sleep(KILLED_WITHIN_MS, gone.signal);
      // Who holds them shows no mark; it ends at its next write.
      running.stdout?.destroy();
      running.stderr?.destroy();
    };

    command.on('start', () => {
      child = childOf(command);
      if (!child) return settle({ kind: 'spawn_failed', message: 'fluent-ffmpeg shows no process' });
      if (child.pid === undefined) return; // The error event says why.
      killWithOwner(child);
      // `close`, not `exit`: only then is the last byte of both pipes here.
      child.once('close', (exitCode, killedBy) => {
        // Of the shell in front (see parent-death-signal.ts): ffmpeg was there once and is not any more.
        if (exitCode === 126 || exitCode === 127)
          return settle({ kind: 'spawn_failed', message: `${options.binary.path} cannot be executed` });
        settle({ kind: 'exited', exitCode, signal: killedBy });
      });
      options.onSpawn?.(child.pid);
      if (signal.aborted) terminate();
      else signal.addEventListener('abort', terminate, { once: true });
    });
    command.on('stderr', options.onLine);
    // Also emitted for every kill and exit code: of interest only when there was no process at all.
    command.on('error', (error: Error) => {
      if (child?.pid === undefined) settle({ kind: 'spawn_failed', message: error.message });
    });

    const { onBytes, output } = options;
    // fluent-ffmpeg has just begun to pipe; from here on nothing more comes that way.
    if (onBytes) output.once('pipe', (source: Readable) => drainWithOneBuffer(source, onBytes));
    try {
      command.pipe(output, { end: false });
    } catch (error) {
      settle({ kind: 'spawn_failed', message: messageOf(error) });
    }
  });
}

/**
 * A command tied to one binary. `setFfmpegPath` is global to the process (two paths would cross over), and the
 * lists of formats and encoders, which fluent-ffmpeg asks for with two more processes before each first run, are
 * cached without regard to the binary; so this one command answers these questions itself.
 */
function boundCommand(options: FfmpegProcessOptions, owned: OwnedCommand): ffmpeg.FfmpegCommand {
  const { inputOptions, input, outputOptions } = options.arguments;
  const command = ffmpeg({ stdoutLines: 50 }).input(input);
  // One option per argument: given as an array, fluent-ffmpeg splits values at a space.
  command.inputOptions(...inputOptions);
  command.outputOptions(...outputOptions).outputFormat(options.outputFormat ?? 'rawvideo');
  const spawnAsBefore = '_spawnFfmpeg' in command ? (command._spawnFfmpeg as SpawnFfmpeg) : undefined;
  return Object.assign(command, {
    _getFfmpegPath: (callback: (error: null, path: string) => void) => callback(null, owned.file),
    availableFormats: (callback: (error: null, formats: object) => void) => callback(null, FORMATS),
    availableEncoders: (callback: (error: null, encoders: object) => void) => callback(null, {}),
    // When a process cannot be started fluent-ffmpeg reads the missing output of it, and some reasons (no memory, too
    // long an argument) Node throws instead of telling them by an event. All this happens in a later tick, where
    // nobody would catch it: the whole service would go down.
    _spawnFfmpeg: ((args, spawnOptions, onProcess, onEnd) => {
      try {
        spawnAsBefore?.call(
          command,
          [...owned.args, ...args],
          { ...spawnOptions, ...owned.options },
          onProcess,
          (error, stdout, stderr) => onEnd(error, stdout ?? NO_LINES, stderr ?? NO_LINES),
        );
      } catch (error) {
        // Once it is started, a fault of ours.
        if (childOf(command) || !(error instanceof Error)) throw error;
        // Of used-up file handles the event says more than the TypeError, and only the first of both is heard.
        setImmediate(() => onEnd(error, NO_LINES, NO_LINES));
      }
    }) satisfies SpawnFfmpeg,
  });
}

/** What we ask for: output, and the inputs of local cameras. An ffmpeg without them says so itself. */
const FORMATS = {
  rawvideo: { canMux: true },
  framecrc: { canMux: true },
  v4l2: { canDemux: true },
  avfoundation: { canDemux: true },
  dshow: { canDemux: true },
};

interface Lines {
  get(): string;
}
const NO_LINES: Lines = { get: () => '' };

type SpawnFfmpeg = (
  args: string[],
  options: object,
  onProcess: (...rest: unknown[]) => void,
  onEnd: (error: Error | null | undefined, stdout?: Lines, stderr?: Lines) => void,
) => void;

function childOf(command: object): ChildProcess | undefined {
  return 'ffmpegProc' in command && command.ffmpegProc instanceof ChildProcess
    ? command.ffmpegProc
    : undefined;
}
