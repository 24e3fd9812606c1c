import { Server } from 'socket.io';
import type { Principal } from '../domain/principal.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import type { CameraEvent, DetectionsEvent, EpisodeEvent, PictureEvent } from './event-bus.js';
import { type DetectionsPayload, PAYLOAD_VERSION, type StatsPayload } from './events.js';
import { toCameraPayload, toDetectionsPayload, toEpisodePayload, toPicturePayload } from './payloads.js';
import { Client, cameraRoom, picturesRoom } from './socket-client.js';
import type { GatewayServer, GatewaySocket, SocketData, SocketGatewayOptions } from './socket-types.js';

export type { GatewayObserver, SocketGatewayOptions } from './socket-types.js';

const ANONYMOUS: Principal = { subject: 'anonymous', cameras: 'all', expiresAtMs: null };
/** Requests are small; the largest is a list of 256 camera ids. */
const MAX_REQUEST_BYTES = 32 * 1024;

/**
 * Tells clients over Socket.IO what is on the bus (CONTRACTS.md, “Socket.IO”).
 *
 * `detections`, `picture` and `stats` are volatile: per client only the newest waits. `episode` and `camera` are
 * reliable: they are kept for `recoveryMs` for a client whose connection broke, and what is older is fetched by
 * `episodes:since`. A client that takes nothing is sent away once `maxBacklog` of them wait; it may come back.
 */
export class SocketGateway {
  readonly #io: GatewayServer;
  readonly #options: SocketGatewayOptions;
  readonly #clients = new Map<string, Client>();
  /** The newest of each camera, for who subscribes. */
  readonly #latest = new Map<string, DetectionsPayload>();
  /** Cameras that left `live`: what they saw last is not shown to who comes later. */
  readonly #dark = new Set<string>();
  readonly #subscriptions: Disposable[];
  #isClosed = false;

  static async open(options: SocketGatewayOptions): Promise<SocketGateway> {
    return new SocketGateway(options);
  }

  private constructor(options: SocketGatewayOptions) {
    this.#options = options;
    const { server, bus, corsOrigins = [], isRequestAllowed } = options;
    const clock = options.clock ?? systemClock;
    this.#io = new Server(server, {
      serveClient: false,
      maxHttpBufferSize: MAX_REQUEST_BYTES,
      httpCompression: false,
      connectionStateRecovery: {
        maxDisconnectionDuration: options.recoveryMs ?? 120_000,
        // A recovered client is authenticated like any other.
        skipMiddlewares: false,
      },
      ...(corsOrigins.length > 0 ? { cors: { origin: [...corsOrigins] } } : {}),
      allowRequest: (request, callback) => {
        const isAllowed = isRequestAllowed?.(request) ?? true;
        if (!isAllowed) options.observer?.clientRefused('origin');
        callback(null, isAllowed);
      },
    });
    this.#guardRecovery(clock);
    this.#io.use((socket, next) => {
      this.#admit(socket).then(
        () => next(),
        (error: unknown) => next(toConnectError(error)),
      );
    });
    this.#io.on('connection', (socket) => this.#connected(socket, clock));
    this.#subscriptions = [
      bus.subscribe('detections', (event) => this.#detections(event)),
      bus.subscribe('picture', (event) => this.#picture(event)),
      bus.subscribe('episode', (event) => this.#episode(event)),
      bus.subscribe('camera', (event) => this.#camera(event)),
      bus.subscribe('cameraRemoved', ({ cameraId }) => this.#cameraRemoved(cameraId)),
      bus.subscribe('stats', (stats) => this.#stats(stats)),
    ];
  }

  /** Whether somebody watches this camera's pictures; else none need be encoded. */
  hasPictureViewers(cameraId: string): boolean {
    return (this.#io.of('/').adapter.rooms.get(picturesRoom(cameraId))?.size ?? 0) > 0;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Closes all connections (clients see a lost transport, and come back by themselves). Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    // Not `io.close()`: it would close the HTTP server too, which is not ours.
    this.#io.engine.close();
    await this.#io.of('/').adapter.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Socket.IO sends what was missed before it runs middleware: an expired session must not be restored. */
  #guardRecovery(clock: Clock): void {
    const adapter = this.#io.of('/').adapter;
    const restore = adapter.restoreSession.bind(adapter);
    adapter.restoreSession = async (pid, offset) => {
      const session = await restore(pid, offset);
      const expiresAtMs = (session?.data as SocketData | undefined)?.principal?.expiresAtMs ?? null;
      // The declared type knows no "not restored", which the base adapter returns all the same.
      if (expiresAtMs !== null && expiresAtMs <= clock.wallMs()) return null as unknown as typeof session;
      return session;
    };
  }

  async #admit(socket: GatewaySocket): Promise<void> {
    const { observer, authenticate, maxClients = 200 } = this.#options;
    if (this.#clients.size >= maxClients) {
      observer?.clientRefused('too_many');
      throw new AppError('CLIENTS_TOO_MANY', `${maxClients} clients are connected already`);
    }
    try {
      const token: unknown = socket.handshake.auth.token;
      socket.data.principal = authenticate ? await authenticate(token) : ANONYMOUS;
    } catch (error) {
      observer?.clientRefused('unauthorized');
      throw error;
    }
    socket.data.wantsAll ??= false;
    socket.data.wantsPictures ??= false;
  }

  #connected(socket: GatewaySocket, clock: Clock): void {
    const { observer } = this.#options;
    const client = new Client(socket, {
      ...this.#options,
      clock,
      latestDetections: (cameraId) => this.#latest.get(cameraId),
    });
    this.#clients.set(socket.id, client);
    observer?.clients(this.#clients.size);
    socket.once('disconnect', () => {
      client.close();
      // A client that recovers quickly may be there under the same id already.
      if (this.#clients.get(socket.id) === client) this.#clients.delete(socket.id);
      observer?.clients(this.#clients.size);
    });
    client.start();
  }

  *#clientsIn(room: string): Iterable<Client> {
    for (const id of this.#io.of('/').adapter.rooms.get(room) ?? []) {
      const client = this.#clients.get(id);
      if (client) yield client;
    }
  }

  #detections(event: DetectionsEvent): void {
    const payload = toDetectionsPayload(event);
    // The frame in hand may still be analysed after its camera has gone.
    if (!this.#dark.has(event.cameraId)) this.#latest.set(event.cameraId, payload);
    for (const client of this.#clientsIn(cameraRoom(event.cameraId))) client.offerDetections(payload);
  }

  #picture(event: PictureEvent): void {
    const payload = toPicturePayload(event);
    for (const client of this.#clientsIn(picturesRoom(event.cameraId))) client.offerPicture(payload);
  }

  #stats(stats: StatsPayload): void {
    for (const client of this.#clients.values()) client.offerStats(stats);
  }

  #episode(event: EpisodeEvent): void {
    const room = cameraRoom(event.change.episode.cameraId);
    this.#reliably(room, 'episode', () => this.#io.to(room).emit('episode', toEpisodePayload(event)));
  }

  #camera(event: CameraEvent): void {
    const { cameraId, state } = event.status;
    if (state === 'live') this.#dark.delete(cameraId);
    else {
      this.#dark.add(cameraId);
      this.#latest.delete(cameraId);
    }
    for (const client of this.#clients.values()) client.cameraAppeared(cameraId);
    const room = cameraRoom(cameraId);
    this.#reliably(room, 'camera', () => this.#io.to(room).emit('camera', toCameraPayload(event)));
  }

  #cameraRemoved(cameraId: string): void {
    this.#latest.delete(cameraId);
    this.#dark.delete(cameraId);
    const room = cameraRoom(cameraId);
    this.#reliably(room, 'camera:removed', () =>
      this.#io.to(room).emit('camera:removed', { v: PAYLOAD_VERSION, cameraId }),
    );
    for (const client of [...this.#clientsIn(room)]) client.leave([cameraId]);
  }

  #reliably(room: string, event: 'episode' | 'camera' | 'camera:removed', emit: () => void): void {
    emit();
    let count = 0;
    for (const client of this.#clientsIn(room)) {
      count += 1;
      client.sendAwayIfStuck();
    }
    if (count > 0) this.#options.observer?.messageSent(event, count);
  }
}

/** The shape in which Socket.IO hands an error to `connect_error`: message, and `data` with our code. */
function toConnectError(error: unknown): Error {
  const known =
    error instanceof AppError ? error : new AppError('AUTH_INVALID', 'the token was not accepted');
  return Object.assign(new Error(known.message), { data: { code: known.code, message: known.message } });
}
