import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server } from 'node:net';
import { AppError } from '../../lib/errors.js';
import { Authenticator } from './auth.js';
import { type ConnectionHost, RtspConnection } from './connection.js';
import { type CameraFault, endsSessions } from './faults.js';
import { PublishGate } from './publish-gate.js';
import type { RtspSession, RtspSessionStats } from './session.js';
import { CameraStream, type CameraStreamStats, type RtspLog, type StreamOptions } from './stream.js';

export type { StreamAuth } from './auth.js';
export type { CameraFault } from './faults.js';
export type { RtspSessionStats } from './session.js';
export type { CameraStreamStats, RtspLog, StreamOptions } from './stream.js';

export interface RtspServerOptions {
  /** Default `127.0.0.1`. Streams without `auth` are open to whoever reaches this address. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  readonly streams: readonly StreamOptions[];
  readonly ffmpegPath: string;
  /** Silence after which a session is given up, seconds. Told to clients. Default 60. */
  readonly sessionTimeoutS?: number;
  readonly log?: RtspLog;
}

export interface RtspServerStats {
  readonly connections: number;
  readonly streams: readonly CameraStreamStats[];
  readonly sessions: readonly RtspSessionStats[];
}

const MAX_SESSIONS = 256;
const MAX_CONNECTIONS = 512;

/**
 * A small RTSP 1.0 server (RFC 2326) of looping clips: interleaved TCP and UDP unicast, any number of clients a
 * stream, digest and basic authentication. Nothing is decoded or encoded: one `ffmpeg -c copy` per stream that
 * somebody has asked for makes the RTP, and this relays it.
 */
export class RtspServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #connections = new Set<RtspConnection>();
  readonly #sessions = new Map<string, RtspSession>();
  readonly #streams: ReadonlyMap<string, CameraStream>;
  readonly #reaper: NodeJS.Timeout;
  readonly #hostName: string;
  readonly #port: number;
  readonly #gate: PublishGate;
  #closed: Promise<void> | null = null;

  private constructor(options: RtspServerOptions, server: Server, gate: PublishGate) {
    const log = options.log ?? (() => undefined);
    const { address, port } = server.address() as AddressInfo;
    this.#hostName = isIPv6(address) ? `[${address}]` : address;
    this.#port = port;
    this.#server = server;
    this.#gate = gate;
    this.#streams = new Map(
      options.streams.map((stream) => {
        const path = normalisePath(stream.path);
        return [path, new CameraStream({ ...stream, path, ffmpegPath: options.ffmpegPath, gate, log })];
      }),
    );
    const sessionTimeoutS = options.sessionTimeoutS ?? 60;
    const host: ConnectionHost = {
      authenticator: new Authenticator(),
      sessions: this.#sessions,
      maxSessions: MAX_SESSIONS,
      sessionTimeoutS,
      log,
      findStream: (path) => this.#streams.get(path) ?? null,
    };
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => {
      const connection = new RtspConnection(socket, host);
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    });
    this.#reaper = setInterval(() => {
      for (const session of this.#sessions.values()) {
        if (!session.isExpired(sessionTimeoutS * 1000)) continue;
        const stuck = [...this.#connections].filter((connection) => connection.carries(session));
        log('session timed out', { path: session.stream.path, transport: session.transport });
        session.close();
        for (const connection of stuck) connection.socket.destroy();
      }
    }, 1000);
    this.#reaper.unref();
  }

  /** Listens; no ffmpeg runs before the first client. Throws `RTSP_LISTEN_FAILED`. */
  static async open(options: RtspServerOptions): Promise<RtspServer> {
    const server = createServer();
    const host = options.host ?? '127.0.0.1';
    try {
      const listening = once(server, 'listening');
      server.listen({ host, port: options.port ?? 0 });
      await listening;
    } catch (cause) {
      const message = `cannot listen for RTSP on ${host} port ${options.port ?? 0}`;
      throw new AppError('RTSP_LISTEN_FAILED', message, { cause });
    }
    try {
      return new RtspServer(options, server, await PublishGate.open());
    } catch (error) {
      server.close();
      throw error;
    }
  }

  get port(): number {
    return this.#port;
  }

  /** Address of a stream, without credentials. Throws `RTSP_NO_SUCH_STREAM`. */
  url(path: string): string {
    return `rtsp://${this.#hostName}:${this.#port}${encodeURI(this.#stream(path).path)}`;
  }

  /**
   * Something is wrong with a camera until {@link clearFault}; takes the place of what was. Throws
   * `RTSP_NO_SUCH_STREAM`, `RTSP_FAULT_INVALID`.
   */
  setFault(path: string, fault: CameraFault): void {
    const stream = this.#stream(path);
    this.clearFault(path);
    stream.setFault(fault);
    if (endsSessions(fault)) this.disconnectAll(path);
    if (fault.kind === 'half_open') for (const { socket } of this.#connectionsOf(stream)) socket.pause();
  }

  /** The camera is well again. What it left unanswered ends: whoever asked must ask again. */
  clearFault(path: string): void {
    const stream = this.#stream(path);
    const kind = stream.fault?.kind;
    stream.clearFault();
    if (kind === 'black_hole' || kind === 'half_open') this.disconnectAll(path);
  }

  /** Short for the fault `freeze`. */
  freeze(path: string): void {
    this.setFault(path, { kind: 'freeze' });
  }

  resume(path: string): void {
    this.clearFault(path);
  }

  /** Ends every session and connection that concerns the stream; clients may come back at once. Says how many. */
  disconnectAll(path: string): number {
    const stream = this.#stream(path);
    for (const session of [...this.#sessions.values()]) if (session.stream === stream) session.close();
    const affected = this.#connectionsOf(stream);
    for (const connection of affected) connection.socket.destroy();
    return affected.length;
  }

  stats(): RtspServerStats {
    return {
      connections: this.#connections.size,
      streams: [...this.#streams.values()].map((stream) => stream.stats()),
      sessions: [...this.#sessions.values()].map((session) => session.stats()),
    };
  }

  /** Drops all clients; resolves when no ffmpeg is left and the port is free. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#reaper);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of [...this.#sessions.values()]) session.close();
    for (const connection of this.#connections) connection.socket.destroy();
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
    await this.#gate.close();
    await closed;
  }

  #connectionsOf(stream: CameraStream): RtspConnection[] {
    return [...this.#connections].filter((connection) => connection.streams.has(stream));
  }

  #stream(path: string): CameraStream {
    const stream = this.#streams.get(normalisePath(path));
    if (!stream) throw new AppError('RTSP_NO_SUCH_STREAM', `no simulated camera at ${path}`);
    return stream;
  }
}

function normalisePath(path: string): string {
  return `/${path.replace(/^\/+|\/+$/g, '')}`;
}
