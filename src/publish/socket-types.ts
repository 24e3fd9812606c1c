import type { IncomingMessage, Server as NodeHttpServer } from 'node:http';
import type { Server, Socket } from 'socket.io';
import type { Principal } from '../domain/principal.js';
import type { Clock } from '../lib/clock.js';
import type { EpisodeJournal } from './episode-journal.js';
import type { EpisodeStore } from './episode-store.js';
import type { CameraEvent, EventBus } from './event-bus.js';
import type { ClientToServerEvents, ServerToClientEvents } from './events.js';

export interface SocketData {
  principal: Principal;
  /** It asked for "all": cameras added later are its too. */
  wantsAll: boolean;
  wantsPictures: boolean;
}

type NoEvents = Record<string, never>;
export type GatewayServer = Server<ClientToServerEvents, ServerToClientEvents, NoEvents, SocketData>;
export type GatewaySocket = Socket<ClientToServerEvents, ServerToClientEvents, NoEvents, SocketData>;

export type VolatileEvent = 'detections' | 'picture' | 'stats';
/** What the gateway counts. `Metrics` satisfies it. */
export interface GatewayObserver {
  clients(count: number): void;
  messageSent(event: VolatileEvent | 'episode' | 'camera' | 'camera:removed', count?: number): void;
  messageDropped(event: VolatileEvent, count?: number): void;
  clientRefused(
    reason: 'origin' | 'unauthorized' | 'expired' | 'slow' | 'too_many' | 'rate_limited' | 'invalid_request',
  ): void;
}

export interface SocketGatewayOptions {
  /** A listening server, or one that will listen; the gateway does not close it. */
  readonly server: NodeHttpServer;
  readonly bus: EventBus;
  readonly store: Pick<EpisodeStore, 'since' | 'lastSequence' | 'get'>;
  readonly journal: Pick<EpisodeJournal, 'verdict'>;
  /** Every configured camera as it is now. */
  readonly cameras: () => readonly CameraEvent[];
  /**
   * Who presents this token (`undefined` when none was given). Throws `AppError` AUTH_REQUIRED, AUTH_INVALID or
   * AUTH_EXPIRED. Default: everybody may see all cameras, as `anonymous`.
   */
  readonly authenticate?: (token: unknown) => Promise<Principal>;
  /** Whether a request's origin and host are ours (see http/origin.ts). Default: all. */
  readonly isRequestAllowed?: (request: IncomingMessage) => boolean;
  /** Other origins that get CORS headers. Default: none. */
  readonly corsOrigins?: readonly string[];
  readonly observer?: GatewayObserver;
  /** Something failed that is not a client's fault. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
  /** Default 200. */
  readonly maxClients?: number;
  /** How long a client that lost its connection gets what it missed, ms. Default two minutes. */
  readonly recoveryMs?: number;
  /** Reliable messages that may wait for one client before it is sent away. Default 256. */
  readonly maxBacklog?: number;
}
