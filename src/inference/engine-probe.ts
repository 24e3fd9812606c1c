import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProbeAnswer, ProbeQuestion, ProbeSpec } from '../../workers/probe-protocol.js';
import type { EngineInfo } from '../../workers/protocol.js';
import { AppError, messageOf } from '../lib/errors.js';
import { nativeEnvironment } from './native-environment.js';

/** How long an engine may take to load, and for each question after that, ms. */
const TIMEOUT_MS = 60_000;
const LAST_WORDS_MS = 1000;
/** Of what libraries say the end is kept: ONNX Runtime says the same twice, with long paths. */
const LAST_WORDS_LENGTH = 4000;

/**
 * An engine in a process of its own, to be timed. Throws `AppError` PROBE_FAILED, or with the code that the engine gave
 * (ENGINE_MISSING, MODEL_NOT_FOUND, …).
 */
export class EngineProbe {
  readonly info: EngineInfo;
  /** From the start of the process's own code until both models had run once, ms. */
  readonly loadMs: number;
  readonly #child: ProbeChild;

  /** `timeoutMs`: for loading, and for each question; default 60 s. TensorRT compiles for longer. */
  static async open(spec: ProbeSpec, signal?: AbortSignal, timeoutMs = TIMEOUT_MS): Promise<EngineProbe> {
    signal?.throwIfAborted();
    const child = new ProbeChild(spec, signal, timeoutMs);
    try {
      const answer = await child.next();
      if (answer.kind !== 'ready') throw unexpected(answer);
      return new EngineProbe(child, answer.info, answer.loadMs);
    } catch (error) {
      await child.close();
      signal?.throwIfAborted();
      throw error;
    }
  }

  private constructor(child: ProbeChild, info: EngineInfo, loadMs: number) {
    this.#child = child;
    this.info = info;
    this.loadMs = loadMs;
  }

  /**
   * `info.shortfall` with what the loader said of the library, as far as the process has told it: whole once it is
   * closed. undefined where nothing falls short.
   */
  get shortfall(): string | undefined {
    const { shortfall } = this.info;
    return shortfall === undefined ? undefined : withCause(shortfall, this.#child.lastWords);
  }

  /** Median ms of one picture. */
  detectMs(budgetMs: number): Promise<number> {
    return this.#time({ kind: 'detect', budgetMs });
  }

  /** Median ms of one batch. */
  classifyMs(batchSize: number, budgetMs: number): Promise<number> {
    return this.#time({ kind: 'classify', batchSize, budgetMs });
  }

  /** What the classifier says of four crops that are the same for every engine. */
  async scores(): Promise<readonly number[]> {
    const answer = await this.#child.ask({ kind: 'scores' });
    if (answer.kind !== 'scores') throw unexpected(answer);
    return answer.scores;
  }

  /** Ends the process and waits until it is gone. */
  close(): Promise<void> {
    return this.#child.close();
  }

  async #time(question: ProbeQuestion): Promise<number> {
    const answer = await this.#child.ask(question);
    if (answer.kind !== 'time') throw unexpected(answer);
    return answer.ms;
  }
}

class ProbeChild {
  readonly #process: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #timeoutMs: number;
  lastWords = '';
  #settle: ((answer: ProbeAnswer | Error) => void) | null = null;
  #early: ProbeAnswer | Error | null = null;

  constructor(spec: ProbeSpec, signal: AbortSignal | undefined, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    const isSource = import.meta.url.endsWith('.ts');
    const script = new URL(`../../workers/engine-probe.${isSource ? 'ts' : 'js'}`, import.meta.url);
    this.#process = fork(fileURLToPath(script), [JSON.stringify(spec)], {
      execArgv: isSource ? ['--import', 'tsx'] : [],
      env: { ...nativeEnvironment(spec.threads, spec.device), ...process.env },
      // What libraries say to people is not for ours: kept for the reason when it dies.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = `${this.lastWords}${text}`.slice(-LAST_WORDS_LENGTH);
    });
    this.#process.on('message', (answer: ProbeAnswer) => this.#take(answer));
    this.#gone = new Promise((resolve) => {
      const end = (how: string) => {
        this.#take(new AppError('PROBE_FAILED', `its process ended ${how}${this.#said()}`));
        resolve();
      };
      this.#process.once('error', (error) => end(`early: ${messageOf(error)}`));
      // Not `close`: it does not come when this side has disconnected (Node 20). What the process said last is waited
      // for, but not for ever: something that it started may hold its stderr open.
      const isSilent = new Promise((done) => this.#process.stderr?.once('close', done));
      this.#process.once('exit', (code, by) => {
        const timer = setTimeout(() => this.#process.stderr?.destroy(), LAST_WORDS_MS);
        void isSilent.then(() => {
          clearTimeout(timer);
          end(by ? `by ${by}` : `with exit code ${code}`);
        });
      });
    });
    const kill = () => this.#process.kill('SIGKILL');
    signal?.addEventListener('abort', kill, { once: true });
    void this.#gone.then(() => signal?.removeEventListener('abort', kill));
  }

  ask(question: ProbeQuestion): Promise<ProbeAnswer> {
    const answer = this.next();
    if (this.#process.connected) this.#process.send(question, () => {});
    return answer;
  }

  /** The next thing it says. One question at a time. */
  async next(): Promise<ProbeAnswer> {
    const timer = setTimeout(() => {
      this.#take(new AppError('PROBE_FAILED', `no answer within ${this.#timeoutMs / 1000} s`));
      this.#process.kill('SIGKILL');
    }, this.#timeoutMs);
    try {
      const answer = await new Promise<ProbeAnswer | Error>((resolve) => {
        if (this.#early) resolve(this.#early);
        else this.#settle = resolve;
      });
      if (answer instanceof Error) throw answer;
      if (answer.kind === 'failed')
        throw new AppError(answer.error.code, answer.error.message, { retryable: answer.error.retryable });
      return answer;
    } finally {
      clearTimeout(timer);
      if (!(this.#early instanceof Error)) this.#early = null;
    }
  }

  async close(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await this.#gone;
    clearTimeout(timer);
  }

  #take(answer: ProbeAnswer | Error): void {
    const settle = this.#settle;
    this.#settle = null;
    if (settle) settle(answer);
    else this.#early ??= answer;
  }

  #said(): string {
    const lines = this.lastWords
      .trim()
      .split('\n')
      .filter((line) => !/absl::InitializeLog|oneDNN/.test(line));
    const last = lines.at(-1)?.trim();
    return last ? ` (${last.slice(0, 200)})` : '';
  }
}

/**
 * ONNX Runtime's error says only that a library was not loaded; which one, and what the loader said, goes to stderr:
 * `… Failed to load library PATH with error: libcublasLt.so.12: cannot open shared object file: …`.
 */
export function withCause(failure: string, said: string): string {
  const cause = /Failed to load library .*? with error: (.+)/.exec(said)?.[1];
  return cause === undefined ? failure : `${failure} (${cause.trim()})`;
}

function unexpected({ kind }: ProbeAnswer): AppError {
  return new AppError('PROBE_FAILED', `it answered with ${kind}`);
}
