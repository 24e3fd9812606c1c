import { AppError } from '../../lib/errors.js';
import { Authenticator } from './auth.js';
import type { ClientLink } from './client-link.js';
import { type ConnectionHost, RtspConnection } from './connection.js';
import { type CameraFault, endsSessions } from './faults.js';
import { FrontDoor, type TlsIdentity } from './front-door.js';
import { PublishGate } from './publish-gate.js';
import type { RtspSession, RtspSessionStats } from './session.js';
import { CameraStream, type CameraStreamStats, type RtspLog, type StreamOptions } from './stream.js';

export type { StreamAuth } from './auth.js';
export { CAMERA_FAULT_KINDS, type CameraFault, type CameraFaultKind } from './faults.js';
export type { TlsIdentity } from './front-door.js';
export type { RtspSessionStats } from './session.js';
export type { CameraStreamStats, RtspLog, StreamOptions } from './stream.js';

export interface RtspServerOptions {
  /** Default `127.0.0.1`. Streams without `auth` are open to whoever reaches this address. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** For `rtsps` on a port of its own, `tlsPort`, default a free one. */
  readonly tls?: TlsIdentity;
  readonly tlsPort?: number;
  readonly streams: readonly StreamOptions[];
  readonly ffmpegPath: string;
  /** Silence after which a session is given up, seconds. Told to clients. Default 60. */
  readonly sessionTimeoutS?: number;
  readonly log?: RtspLog;
}

export interface RtspServerStats {
  /** Of TCP. */
  readonly connections: number;
  /** See {@link RtspServer.unplug}. */
  readonly isUnplugged: boolean;
  readonly streams: readonly CameraStreamStats[];
  readonly sessions: readonly RtspSessionStats[];
}

const MAX_SESSIONS = 256;

/**
 * A small RTSP 1.0 server (RFC 2326) of looping clips: interleaved TCP and UDP unicast, any number of clients a
 * stream, digest and basic authentication, tunnels through HTTP, TLS. Nothing is decoded or encoded: one `ffmpeg -c copy` per stream that
 * somebody has asked for makes the RTP, and this relays it.
 */
export class RtspServer implements AsyncDisposable {
  readonly #connections = new Set<RtspConnection>();
  readonly #sessions = new Map<string, RtspSession>();
  readonly #streams: ReadonlyMap<string, CameraStream>;
  readonly #reaper: NodeJS.Timeout;
  readonly #gate: PublishGate;
  readonly #host: ConnectionHost;
  #door!: FrontDoor;
  #secureDoor: FrontDoor | null = null;
  #isUnplugged = false;
  #closed: Promise<void> | null = null;

  private constructor(options: RtspServerOptions, gate: PublishGate) {
    const log = options.log ?? (() => undefined);
    this.#gate = gate;
    this.#streams = new Map(
      options.streams.map((stream) => {
        const path = normalisePath(stream.path);
        return [path, new CameraStream({ ...stream, path, ffmpegPath: options.ffmpegPath, gate, log })];
      }),
    );
    const sessionTimeoutS = options.sessionTimeoutS ?? 60;
    this.#host = {
      authenticator: new Authenticator(),
      sessions: this.#sessions,
      maxSessions: MAX_SESSIONS,
      sessionTimeoutS,
      log,
      findStream: (path) => this.#streams.get(path) ?? null,
    };
    this.#reaper = setInterval(() => {
      for (const session of this.#sessions.values()) {
        if (!session.isExpired(sessionTimeoutS * 1000)) continue;
        const stuck = [...this.#connections].filter((connection) => connection.carries(session));
        log('session timed out', { path: session.stream.path, transport: session.transport });
        session.close();
        for (const { link } of stuck) link.destroy();
      }
    }, 1000);
    this.#reaper.unref();
  }

  /** Listens; no ffmpeg runs before the first client. Throws `RTSP_LISTEN_FAILED`. */
  static async open(options: RtspServerOptions): Promise<RtspServer> {
    const server = new RtspServer(options, await PublishGate.open());
    const open = (port = 0, tls?: TlsIdentity) =>
      FrontDoor.open({
        host: options.host ?? '127.0.0.1',
        port,
        ...(tls === undefined ? {} : { tls }),
        silenceMs: server.#host.sessionTimeoutS * 2000,
        onLink: (link) => server.#welcome(link),
      });
    try {
      server.#door = await open(options.port);
      if (options.tls) server.#secureDoor = await open(options.tlsPort, options.tls);
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get port(): number {
    return this.#door.port;
  }

  /** Address of a stream, without credentials. Throws `RTSP_NO_SUCH_STREAM`, for `rtsps` also without `tls`. */
  url(path: string, scheme: 'rtsp' | 'rtsps' = 'rtsp'): string {
    const door = scheme === 'rtsps' ? this.#secureDoor : this.#door;
    if (!door)
      throw new AppError('RTSP_NO_SUCH_STREAM', 'these simulated cameras have no certificate for rtsps');
    return `${scheme}://${door.authority}${encodeURI(this.#stream(path).path)}`;
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
    if (fault.kind === 'half_open') for (const { link } of this.#connectionsOf(stream)) link.pause();
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
    for (const { link } of affected) link.destroy();
    return affected.length;
  }

  /** As if the cable of all cameras were out: everybody is cut off, and whoever comes is refused by the system. */
  async unplug(): Promise<void> {
    this.#isUnplugged = true;
    for (const session of [...this.#sessions.values()]) session.close();
    await Promise.all(this.#doors.map((door) => door.shut()));
  }

  /** Back on the same ports. Throws `RTSP_LISTEN_FAILED` where somebody else took one. */
  async plugIn(): Promise<void> {
    if (this.#closed) return;
    await Promise.all(this.#doors.map((door) => door.listen()));
    this.#isUnplugged = false;
  }

  stats(): RtspServerStats {
    return {
      connections: this.#doors.reduce((sum, { connectionCount }) => sum + connectionCount, 0),
      isUnplugged: this.#isUnplugged,
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
    await this.unplug();
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
    await this.#gate.close();
  }

  get #doors(): FrontDoor[] {
    return [this.#door, this.#secureDoor].filter((door): door is FrontDoor => Boolean(door));
  }

  #welcome(link: ClientLink): void {
    const connection = new RtspConnection(link, this.#host);
    this.#connections.add(connection);
    link.output.on('close', () => this.#connections.delete(connection));
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
