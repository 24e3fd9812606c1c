import { SingleBar } from 'cli-progress';
import { isStderrForPrograms } from './output.js';

/** How far long work is, on stderr. */
export interface Progress {
  /** Sets how much is done; `note` stands behind the bar (e.g. "loss 0.12"). */
  update(done: number, note?: string): void;
  /** Ends the bar; to be called once, also after a failure. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is being done, e.g. "training". */
  readonly label: string;
  /** How much there is to do, in `unit`s. */
  readonly total: number;
  /** Plural word for what is counted, e.g. "pictures". Default "steps". */
  readonly unit?: string;
  /** Default stderr. */
  readonly stream?: NodeJS.WriteStream;
  /** Ms clock. Default Date.now. */
  readonly nowMs?: () => number;
}

/** Between two plain lines where there is no terminal, ms. */
const LINE_PERIOD_MS = 2000;

/**
 * A bar on a terminal; elsewhere (a log, CI) a plain line at most every two seconds of work, none for work that
 * is done sooner, and none at all after `--json`.
 */
export function startProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr;
  return stream.isTTY ? startBar(options, stream) : startLines(options, stream);
}

function startBar(options: ProgressOptions, stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({
    stream,
    format: `${options.label} {bar} {percentage} % · {value}/{total} ${options.unit ?? 'steps'} · {eta_formatted} left {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 28,
    hideCursor: true,
    gracefulExit: false,
    etaBuffer: 30,
  });
  bar.start(options.total, 0, { note: '' });
  return {
    update: (done, note = '') => bar.update(done, { note: note && `· ${note}` }),
    stop: () => bar.stop(),
  };
}

function startLines(options: ProgressOptions, stream: NodeJS.WriteStream): Progress {
  const nowMs = options.nowMs ?? Date.now;
  const startMs = nowMs();
  let lastMs = startMs;
  return {
    update: (done, note = '') => {
      const atMs = nowMs();
      if (isStderrForPrograms() || atMs - lastMs < LINE_PERIOD_MS) return;
      lastMs = atMs;
      const left = timeLeft(done, options.total, atMs - startMs);
      const behind = [left, note].map((text) => text && `, ${text}`).join('');
      stream.write(`${options.label}: ${done} of ${options.total} ${options.unit ?? 'steps'}${behind}\n`);
    },
    stop: () => {},
  };
}

/** `8 s left`, `about 3 min left`, at the pace so far; empty before the first and after the last. */
function timeLeft(done: number, total: number, elapsedMs: number): string {
  if (done <= 0 || done >= total) return '';
  const seconds = (elapsedMs / done / 1000) * (total - done);
  if (seconds < 100) return `${Math.round(seconds)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
