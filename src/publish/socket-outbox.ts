import type { ServerToClientEvents } from './events.js';
import type { GatewaySocket, VolatileEvent } from './socket-types.js';

type VolatileMessage = {
  [Name in VolatileEvent]: { name: Name; payload: Parameters<ServerToClientEvents[Name]>[0] };
}[VolatileEvent];

/**
 * What waits for one busy client: the newest message per kind and camera, nothing else.
 *
 * Socket.IO's own `volatile` drops whatever comes while the transport is busy, and the transport is busy for
 * the rest of the tick after any message; with several cameras a fast client would lose much of what it could
 * take. Here the newest one waits for the transport instead, and only what it replaces is dropped. So a client
 * that stands still costs one message per kind and camera, and never gets an old one late.
 */
export class SocketOutbox {
  readonly #socket: GatewaySocket;
  readonly #observer: { sent(event: VolatileEvent): void; dropped(event: VolatileEvent): void };
  readonly #slots = new Map<string, VolatileMessage>();
  #transport: { off(event: 'ready', listener: () => void): unknown } | null = null;

  constructor(
    socket: GatewaySocket,
    observer: { sent(event: VolatileEvent): void; dropped(event: VolatileEvent): void },
  ) {
    this.#socket = socket;
    this.#observer = observer;
    this.#listen();
    socket.conn.on('upgrade', this.#listen);
  }

  /** `key` says what a message replaces: kind and camera. */
  offer(key: string, message: VolatileMessage): void {
    if (this.#slots.size === 0 && this.#socket.conn.transport.writable) {
      this.#send(message);
      return;
    }
    if (this.#slots.has(key)) this.#observer.dropped(message.name);
    // A key that waits already keeps its place in the line, so that no camera starves another.
    this.#slots.set(key, message);
  }

  /** Forgets what waits under `key`, e.g. after `unsubscribe`. */
  forget(key: string): void {
    this.#slots.delete(key);
  }

  close(): void {
    this.#transport?.off('ready', this.#flush);
    this.#socket.conn.off('upgrade', this.#listen);
    this.#slots.clear();
  }

  readonly #listen = (): void => {
    this.#transport?.off('ready', this.#flush);
    const transport = this.#socket.conn.transport;
    transport.on('ready', this.#flush);
    this.#transport = transport;
    this.#flush();
  };

  readonly #flush = (): void => {
    while (this.#socket.conn.transport.writable) {
      const next = this.#slots.entries().next();
      if (next.done) return;
      const [key, message] = next.value;
      this.#slots.delete(key);
      this.#send(message);
    }
  };

  #send(message: VolatileMessage): void {
    // `volatile` keeps it out of the memory of connection state recovery.
    const emitter = this.#socket.volatile;
    if (message.name === 'detections') emitter.emit('detections', message.payload);
    else if (message.name === 'picture') emitter.emit('picture', message.payload);
    else emitter.emit('stats', message.payload);
    this.#observer.sent(message.name);
  }
}
