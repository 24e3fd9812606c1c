import type { Socket } from 'node:net';

/** How a client speaks: RTSP as such, inside TLS, or tunnelled through HTTP, which may be inside TLS too. */
export type LinkKind = 'rtsp' | 'rtsps' | 'http' | 'https';

/** The way to one client and back: one connection, or the two of an HTTP tunnel. */
export interface ClientLink {
  readonly kind: LinkKind;
  /** Answers and interleaved packets go here. When it ends, so does the link. */
  readonly output: Socket;
  /** What the client sends, from its first byte on. To be called once, at once. */
  listen(listener: (chunk: Buffer) => void): void;
  /** Nothing is read any more; not even the client's goodbye is noticed. */
  pause(): void;
  /** Ends it as a device does that has lost its memory: RST, no FIN. */
  reset(): void;
  destroy(): void;
}

/** A connection, and the TCP socket below it: another one where TLS lies between. */
export interface Wire {
  readonly socket: Socket;
  readonly tcp: Socket;
  readonly isSecure: boolean;
}

/** RTSP on a connection of its own. */
export class DirectLink implements ClientLink {
  readonly kind: LinkKind;

  /** `head` is what has been read already. */
  constructor(
    private readonly wire: Wire,
    private readonly head: Buffer,
  ) {
    this.kind = wire.isSecure ? 'rtsps' : 'rtsp';
  }

  get output(): Socket {
    return this.wire.socket;
  }

  listen(listener: (chunk: Buffer) => void): void {
    this.wire.socket.on('data', listener);
    listener(this.head);
  }

  pause(): void {
    this.wire.socket.pause();
  }

  reset(): void {
    resetWire(this.wire);
  }

  destroy(): void {
    this.wire.socket.destroy();
  }
}

export function resetWire({ socket, tcp }: Wire): void {
  // TLS says nothing either: the connection below it is gone.
  if (!tcp.destroyed) tcp.resetAndDestroy();
  socket.destroy();
}
