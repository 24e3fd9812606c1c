import type { Principal } from '../domain/principal.js';
import type { Clock } from '../lib/clock.js';
import { tenth } from '../lib/rounding.js';
import type { CameraEvent } from './event-bus.js';
import type { CameraPayload, DetectionsPayload, PicturePayload, StatsPayload } from './events.js';
import { countStates } from './live-stats.js';
import { episodePayload, toCameraPayload, toEpisodePayload } from './payloads.js';
import { SocketOutbox } from './socket-outbox.js';
import {
  type AnswerHooks,
  answering,
  RateLimit,
  RefusedRequest,
  requestSchemas,
  unknownRequest,
} from './socket-requests.js';
import type { GatewaySocket, SocketGatewayOptions } from './socket-types.js';

export const cameraRoom = (cameraId: string) => `camera:${cameraId}`;
export const picturesRoom = (cameraId: string) => `pictures:${cameraId}`;

export interface ClientOptions extends SocketGatewayOptions {
  readonly clock: Clock;
  readonly latestDetections: (cameraId: string) => DetectionsPayload | undefined;
}

/** Longest delay that a timer takes, ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_PAGE = 200;

/** One connected socket: what it may see, what it asked for, what waits for it. */
export class Client {
  readonly #socket: GatewaySocket;
  readonly #options: ClientOptions;
  readonly #outbox: SocketOutbox;
  readonly #rateLimit: RateLimit;
  readonly #maxBacklog: number;
  #expiry: NodeJS.Timeout | null = null;
  #backlog = 0;

  constructor(socket: GatewaySocket, options: ClientOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#maxBacklog = options.maxBacklog ?? 256;
    this.#rateLimit = new RateLimit({ burst: 40, ratePerSecond: 20, nowMs: options.clock.monotonicMs() });
    this.#outbox = new SocketOutbox(socket, {
      sent: (event) => options.observer?.messageSent(event),
      dropped: (event) => options.observer?.messageDropped(event),
    });
    socket.conn.on('packetCreate', this.#countPacket);
    socket.conn.on('drain', this.#countDrained);
  }

  get #principal(): Principal {
    return this.#socket.data.principal;
  }

  /** Begins to listen. A recovered socket has its rooms already. */
  start(): void {
    this.#watchExpiry();
    this.#listen();
    if (!this.#socket.recovered) return;
    const joined = this.#joinedIds();
    // It may have come back with a token that allows less.
    this.leave(joined.filter((cameraId) => !this.#maySee(cameraId)));
    this.#offerLatest(joined.filter((cameraId) => this.#maySee(cameraId)));
  }

  close(): void {
    if (this.#expiry) clearTimeout(this.#expiry);
    this.#outbox.close();
    this.#socket.conn.off('packetCreate', this.#countPacket);
    this.#socket.conn.off('drain', this.#countDrained);
  }

  offerDetections(payload: DetectionsPayload): void {
    this.#outbox.offer(`detections:${payload.cameraId}`, { name: 'detections', payload });
  }

  offerPicture(payload: PicturePayload): void {
    this.#outbox.offer(`picture:${payload.cameraId}`, { name: 'picture', payload });
  }

  offerStats(stats: StatsPayload): void {
    const payload = this.#principal.cameras === 'all' ? stats : this.#visibleStats(stats);
    this.#outbox.offer('stats', { name: 'stats', payload });
  }

  /** Counts of its own cameras alone; latency, overload and engine are the service's. */
  #visibleStats(stats: StatsPayload): StatsPayload {
    const visible = Object.entries(stats.perCamera).filter(([cameraId]) => this.#maySee(cameraId));
    const statuses = this.#options.cameras().map(({ status }) => status);
    const sum = (of: (camera: StatsPayload['perCamera'][string]) => number) =>
      tenth(visible.reduce((total, [, camera]) => total + of(camera), 0));
    return {
      ...stats,
      cameras: countStates(
        statuses.filter(({ cameraId }) => this.#maySee(cameraId)).map(({ state }) => state),
      ),
      perCamera: Object.fromEntries(visible),
      analysedFps: sum(({ analysedFps }) => analysedFps),
      droppedFps: sum(({ droppedFps }) => droppedFps),
      openEpisodes: sum(({ openEpisodes }) => openEpisodes),
    };
  }

  /** A camera that was added later belongs to who asked for all. */
  cameraAppeared(cameraId: string): void {
    if (this.#socket.data.wantsAll && !this.#socket.rooms.has(cameraRoom(cameraId)))
      this.#join([cameraId], this.#socket.data.wantsPictures);
  }

  leave(cameraIds: readonly string[]): void {
    for (const cameraId of cameraIds) {
      void this.#socket.leave(cameraRoom(cameraId));
      void this.#socket.leave(picturesRoom(cameraId));
      this.#outbox.forget(`detections:${cameraId}`);
      this.#outbox.forget(`picture:${cameraId}`);
    }
  }

  /** Reliable messages pile up for a client that takes none: it is cut off, and catches up when it returns. */
  sendAwayIfStuck(): void {
    if (this.#backlog <= this.#maxBacklog) return;
    this.#options.observer?.clientRefused('slow');
    // `true` discards what waits; a polite close would wait for it.
    this.#socket.conn.close(true);
  }

  readonly #countPacket = (): void => {
    this.#backlog += 1;
  };

  readonly #countDrained = (): void => {
    this.#backlog = 0;
  };

  #maySee(cameraId: string): boolean {
    const { cameras } = this.#principal;
    return cameras === 'all' || cameras.includes(cameraId);
  }

  #joinedIds(): string[] {
    const prefix = cameraRoom('');
    return [...this.#socket.rooms].flatMap((room) =>
      room.startsWith(prefix) ? room.slice(prefix.length) : [],
    );
  }

  #watchExpiry(): void {
    const { expiresAtMs } = this.#principal;
    if (expiresAtMs === null) return;
    const leftMs = expiresAtMs - this.#options.clock.wallMs();
    this.#expiry = setTimeout(
      () => {
        if (leftMs > MAX_TIMER_MS) {
          this.#watchExpiry();
          return;
        }
        this.#options.observer?.clientRefused('expired');
        this.#socket.disconnect(true);
      },
      Math.min(Math.max(0, leftMs), MAX_TIMER_MS),
    );
    this.#expiry.unref();
  }

  #listen(): void {
    const hooks: AnswerHooks = {
      isAllowed: () => this.#rateLimit.take(this.#options.clock.monotonicMs()),
      onRefused: (code) => {
        if (code === 'RATE_LIMITED') this.#options.observer?.clientRefused('rate_limited');
        if (code === 'REQUEST_INVALID') this.#options.observer?.clientRefused('invalid_request');
      },
      onFailed: (error) => this.#options.onError?.(error),
    };
    const socket = this.#socket;
    socket.on(
      'subscribe',
      answering(requestSchemas.subscribe, hooks, (request) => this.#subscribe(request)),
    );
    socket.on(
      'unsubscribe',
      answering(requestSchemas.unsubscribe, hooks, async ({ cameras }) => {
        if (cameras === 'all') socket.data.wantsAll = false;
        this.leave(cameras === 'all' ? this.#joinedIds() : cameras);
        return { result: { cameras: this.#joinedIds() } };
      }),
    );
    socket.on(
      'episodes:since',
      answering(requestSchemas.episodesSince, hooks, async (request) => ({
        result: await this.#episodesSince(request.sequence, request.limit ?? DEFAULT_PAGE),
      })),
    );
    socket.on(
      'episode:acknowledge',
      answering(requestSchemas.acknowledge, hooks, async ({ id, version }) => ({
        result: await this.#verdict(id, version, 'acknowledged'),
      })),
    );
    socket.on(
      'episode:reject',
      answering(requestSchemas.reject, hooks, async ({ id, version, reason }) => ({
        result: await this.#verdict(id, version, 'rejected', reason),
      })),
    );
    // Without this a misspelt request would never be answered.
    socket.onAny((name: string, ...args: unknown[]) => {
      if (socket.listeners(name as 'subscribe').length > 0) return;
      answering(unknownRequest(name), hooks, async () => ({ result: {} }))(...args);
    });
  }

  async #subscribe(request: { cameras: 'all' | string[]; pictures?: boolean | undefined }) {
    const known = new Map(this.#options.cameras().map((camera) => [camera.status.cameraId, camera]));
    const wanted =
      request.cameras === 'all' ? [...known.keys()].filter((id) => this.#maySee(id)) : request.cameras;
    for (const cameraId of wanted) {
      // What is not allowed is told before what does not exist: a token must not find out what there is.
      if (!this.#maySee(cameraId))
        throw new RefusedRequest('CAMERA_FORBIDDEN', `the token does not allow camera "${cameraId}"`);
      if (!known.has(cameraId))
        throw new RefusedRequest('CAMERA_NOT_FOUND', `there is no camera "${cameraId}"`);
    }
    const sequence = await this.#options.store.lastSequence();
    const wantsPictures = request.pictures ?? false;
    if (request.cameras === 'all') Object.assign(this.#socket.data, { wantsAll: true, wantsPictures });
    this.#join(wanted, wantsPictures);
    const cameras: CameraPayload[] = wanted.flatMap((id) => {
      const camera: CameraEvent | undefined = known.get(id);
      return camera ? toCameraPayload(camera) : [];
    });
    return { result: { cameras, sequence }, afterAnswer: () => this.#offerLatest(wanted) };
  }

  #join(cameraIds: readonly string[], wantsPictures: boolean): void {
    for (const cameraId of cameraIds) {
      if (!this.#maySee(cameraId)) continue;
      void this.#socket.join(cameraRoom(cameraId));
      if (wantsPictures) void this.#socket.join(picturesRoom(cameraId));
      else void this.#socket.leave(picturesRoom(cameraId));
    }
  }

  #offerLatest(cameraIds: readonly string[]): void {
    for (const cameraId of cameraIds) {
      const latest = this.#options.latestDetections(cameraId);
      if (latest) this.offerDetections(latest);
    }
  }

  async #episodesSince(sequence: number, limit: number) {
    const { store } = this.#options;
    const { cameras } = this.#principal;
    const last = await store.lastSequence();
    // A client that has seen more than there is knows another journal (the file was replaced): from the start.
    const from = sequence > last ? 0 : sequence;
    const changes = await store.since(from, {
      limit: limit + 1,
      ...(cameras === 'all' ? {} : { cameraIds: cameras }),
    });
    const page = changes.slice(0, limit);
    const hasMore = changes.length > limit;
    return {
      episodes: page.map((change) => toEpisodePayload({ kind: 'stored', change })),
      // Complete: everything up to the newest was seen, also what belongs to cameras of others.
      sequence: hasMore ? (page.at(-1)?.sequence ?? last) : Math.max(last, page.at(-1)?.sequence ?? 0),
      hasMore,
    };
  }

  async #verdict(id: string, version: number, kind: 'acknowledged' | 'rejected', reason?: string) {
    const { journal, store, clock } = this.#options;
    const notFound = () => new RefusedRequest('EPISODE_NOT_FOUND', `there is no episode "${id}"`);
    const episode = await store.get(id);
    if (!episode || !this.#maySee(episode.cameraId)) throw notFound();
    const result = await journal.verdict(id, version, {
      kind,
      by: this.#principal.subject,
      ...(reason === undefined ? {} : { reason }),
      atMs: clock.wallMs(),
    });
    if (result.ok) {
      return { episode: toEpisodePayload({ kind: 'stored', change: result.change }) };
    }
    if (result.code === 'EPISODE_NOT_FOUND') throw notFound();
    throw new RefusedRequest(result.code, 'somebody else changed this episode meanwhile; look again', {
      // Not a change of its own: the sequence says nothing here.
      current: episodePayload(0, result.current.verdict?.kind ?? 'updated', result.current),
    });
  }
}
