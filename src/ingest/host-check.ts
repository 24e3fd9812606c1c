import { connect, type Socket } from 'node:net';
import { streamKind } from './ffmpeg-arguments.js';
import type { RtspTransport } from './ffmpeg-input-options.js';
import type { RunEnd } from './frame-source.js';
import { splitUrl } from './redact.js';

export interface HostCheckOptions {
  /** With or without credentials; they are not sent. */
  readonly url: string;
  /** RTSP only. Default `tcp`. */
  readonly transport?: RtspTransport | 'auto' | undefined;
  /** For the connection, and again for an answer, ms. */
  readonly timeoutMs: number;
  /** Silence counts although this camera has never answered: for when it has shown no picture either. Default false. */
  readonly believesSilence?: boolean;
}

export const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  rtsp: 554,
  rtsps: 322,
  http: 80,
  https: 443,
};
/** Believed in a row. Then ffmpeg, which waits longer, finds out whether the camera is only slow. */
const MAX_SILENCES = 3;
const MIN_LIMIT_MS = 3000;
const ADDRESS = /^(rtsps?|https?):\/\/(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?/i;

/**
 * How long to wait for a connection, and again for an answer, ms. ffmpeg needs at least three answers (OPTIONS, DESCRIBE,
 * SETUP) before the first picture, so a camera that takes longer than a third of the connect time-out for one of them
 * would not make it anyway; who allows more time has slow cameras. 3 s outlast a lost SYN and its first repetition.
 */
export function hostCheckLimitMs(connectMs: number): number {
  return Math.min(connectMs, Math.max(MIN_LIMIT_MS, connectMs / 3));
}

/**
 * Asks whether somebody is there before a process is started: of many cameras behind one dead switch none costs more
 * than a socket. RTSP cameras are asked for their OPTIONS, which needs no password; silence is believed only of a
 * camera that has answered that before, since a few never do, and not for ever, since a few are slow. Where RTSP goes
 * through an HTTP tunnel the port may speak HTTP only, and is not asked.
 */
export class HostCheck {
  readonly #options: HostCheckOptions;
  #hasAnswered: boolean;
  /** In a row. */
  #silences = 0;

  constructor(options: HostCheckOptions) {
    this.#options = options;
    this.#hasAnswered = options.believesSilence ?? false;
  }

  /** @returns why no run can succeed now, or `null`: go on. Never rejects. */
  async check(signal: AbortSignal): Promise<RunEnd | null> {
    const { url } = splitUrl(this.#options.url);
    const kind = streamKind(url);
    const [, scheme = '', host = '', port] = ADDRESS.exec(url) ?? [];
    if (host === '' || signal.aborted) return null;
    // A proxy speaks for every host.
    if (kind !== 'rtsp' && Object.keys(process.env).some((name) => /^https?_proxy$/i.test(name))) return null;
    const target = {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port: port === undefined ? DEFAULT_PORTS[scheme.toLowerCase()]! : Number(port),
    };
    // Said by ffmpeg in its own words.
    if (!(target.port > 0 && target.port < 65_536)) return null;
    const { transport, timeoutMs } = this.#options;
    const isAsked = scheme.toLowerCase() === 'rtsp' && transport !== 'http';
    const answer = await ask(target, isAsked ? optionsRequest(url) : null, timeoutMs, signal);
    const where = `${host}:${target.port}`;
    if (answer.kind !== 'silent') this.#silences = 0;
    switch (answer.kind) {
      case 'connected':
        return null;
      case 'answered':
        this.#hasAnswered = true;
        return null;
      case 'not_rtsp':
        // The tunnel, which is tried last, may be what it offers.
        if (transport === 'auto') return null;
        return {
          reason: 'invalid_data',
          message: `What answers at ${where} does not speak RTSP: is the port right?`,
          retryable: true,
        };
      case 'silent':
        if (!this.#hasAnswered) return null;
        this.#silences += 1;
        if (this.#silences > MAX_SILENCES) {
          this.#silences = 0;
          return null;
        }
        return {
          reason: 'unreachable',
          message: `The camera at ${where} takes connections but does not answer`,
          retryable: true,
        };
      case 'failed':
        return { ...describeFailure(answer.code, where), retryable: true };
      case 'stopped':
        return null;
    }
  }
}

function optionsRequest(url: string): string {
  return `OPTIONS ${url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Maskwatch\r\n\r\n`;
}

type Answer =
  | { readonly kind: 'connected' | 'answered' | 'not_rtsp' | 'silent' | 'stopped' }
  | { readonly kind: 'failed'; readonly code: string };

/** Connects, asks where there is a question, and closes the connection again. */
function ask(
  target: { readonly host: string; readonly port: number },
  question: string | null,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve) => {
    const socket: Socket = connect(target);
    let isConnected = false;
    const settle = (answer: Answer) => {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = () => settle({ kind: 'stopped' });
    const onTimeout = () => settle(isConnected ? { kind: 'silent' } : { kind: 'failed', code: 'ETIMEDOUT' });
    let timer = setTimeout(onTimeout, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => {
      isConnected = true;
      if (question === null) return settle({ kind: 'connected' });
      clearTimeout(timer);
      timer = setTimeout(onTimeout, timeoutMs);
      socket.write(question);
    });
    socket.once('data', (bytes) =>
      settle({ kind: bytes.subarray(0, 5).toString('latin1') === 'RTSP/' ? 'answered' : 'not_rtsp' }),
    );
    // A camera at its limit of connections may close without a word: ffmpeg finds out why.
    socket.on('end', () => settle({ kind: 'connected' }));
    socket.on('error', (error) =>
      settle(
        isConnected
          ? { kind: 'connected' }
          : { kind: 'failed', code: 'code' in error ? String(error.code) : error.message },
      ),
    );
  });
}

function describeFailure(code: string, where: string): Pick<RunEnd, 'reason' | 'message'> {
  switch (code) {
    case 'ECONNREFUSED':
      return { reason: 'refused', message: `Nothing listens at ${where}: the connection was refused` };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { reason: 'unreachable', message: `The host name in ${where} cannot be resolved (${code})` };
    default:
      return { reason: 'unreachable', message: `The camera at ${where} cannot be reached (${code})` };
  }
}
