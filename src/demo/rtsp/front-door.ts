import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { AppError } from '../../lib/errors.js';
import { type ClientLink, DirectLink, type Wire } from './client-link.js';
import { HttpTunnels, readHttpHead } from './http-tunnel.js';

export interface TlsIdentity {
  /** PEM. */
  readonly cert: string | Buffer;
  /** PEM, without a password. */
  readonly key: string | Buffer;
}

export interface FrontDoorOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Left out: plain TCP. */
  readonly tls?: TlsIdentity;
  /** After which a connection that has not said how it speaks is closed, ms. */
  readonly silenceMs: number;
  readonly onLink: (link: ClientLink) => void;
}

const MAX_CONNECTIONS = 512;

/** One port: takes connections, and finds out by their first bytes whether RTSP comes as such or through HTTP. */
export class FrontDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #tunnels: HttpTunnels;
  readonly #secureContext: SecureContext | null;
  #address: AddressInfo | null = null;

  private constructor(
    private readonly options: FrontDoorOptions,
    secureContext: SecureContext | null,
  ) {
    this.#secureContext = secureContext;
    this.#tunnels = new HttpTunnels(options.onLink);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Throws `RTSP_LISTEN_FAILED`. */
  static async open(options: FrontDoorOptions): Promise<FrontDoor> {
    let context: SecureContext | null = null;
    try {
      if (options.tls) context = createSecureContext(options.tls);
    } catch (cause) {
      throw new AppError('RTSP_LISTEN_FAILED', 'the certificate for rtsps or its key is not usable', {
        cause,
      });
    }
    const door = new FrontDoor(options, context);
    await door.listen();
    return door;
  }

  /** `host:port` for an address; stays the same while the door is shut. */
  get authority(): string {
    const { address, port } = this.#address as AddressInfo;
    return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  }

  get port(): number {
    return (this.#address as AddressInfo).port;
  }

  /** TCP connections; a tunnel has two. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Again on the same port after {@link shut}. No effect while it listens. Throws `RTSP_LISTEN_FAILED`. */
  async listen(): Promise<void> {
    if (this.#server.listening) return;
    const { host } = this.options;
    const port = this.#address?.port ?? this.options.port;
    try {
      const listening = once(this.#server, 'listening');
      this.#server.listen({ host, port });
      await listening;
    } catch (cause) {
      throw new AppError('RTSP_LISTEN_FAILED', `cannot listen for RTSP on ${host} port ${port}`, { cause });
    }
    this.#address = this.#server.address() as AddressInfo;
  }

  /** Cuts every connection; resolves when the port is free. No effect while it is shut. */
  async shut(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(tcp: Socket): void {
    this.#sockets.add(tcp);
    tcp.setNoDelay(true);
    const secureContext = this.#secureContext;
    const socket = secureContext ? new TLSSocket(tcp, { isServer: true, secureContext }) : tcp;
    const wire: Wire = { socket, tcp, isSecure: secureContext !== null };
    tcp.on('close', () => {
      this.#sockets.delete(tcp);
      // A handshake that never ended leaves TLS waiting for nothing.
      socket.destroy();
    });
    for (const each of new Set([socket, tcp])) each.on('error', () => each.destroy());
    const giveUp = () => socket.destroy();
    socket.setTimeout(this.options.silenceMs, giveUp);
    socket.once('end', giveUp);
    let said: Buffer = Buffer.alloc(0);
    const recognise = (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]);
      const head = readHttpHead(said);
      if (head === null) return;
      // Whoever takes it listens at once: nothing is lost in between.
      socket.off('data', recognise).off('timeout', giveUp).off('end', giveUp).setTimeout(0);
      if (head === 'not_http') this.options.onLink(new DirectLink(wire, said));
      else this.#tunnels.take(wire, head, said.subarray(head.sizeBytes));
    };
    socket.on('data', recognise);
  }
}
