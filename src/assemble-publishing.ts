import type { LoadedConfig } from './config/load-config.js';
import { TokenAuthority } from './http/auth.js';
import { HttpServer } from './http/http-server.js';
import type { ReadinessReport } from './http/readiness.js';
import type { Clock } from './lib/clock.js';
import type { CloseStack } from './lib/close-stack.js';
import { webRoot } from './lib/package-paths.js';
import type { Log } from './observability/logging.js';
import type { Metrics } from './observability/metrics.js';
import type { RepeatSummary } from './observability/repeat-summary.js';
import { EpisodeJournal } from './publish/episode-journal.js';
import { type CameraEvent, type EventBus, InProcessEventBus } from './publish/event-bus.js';
import { PictureEncoder } from './publish/picture-encoder.js';
import { SocketGateway } from './publish/socket-gateway.js';
import { SqliteEpisodeStore } from './publish/sqlite-episode-store.js';

export interface Publishing {
  readonly bus: EventBus;
  readonly journal: EpisodeJournal;
  readonly http: HttpServer;
  readonly gateway: SocketGateway;
  readonly pictures: PictureEncoder;
  /** Open episodes by camera. */
  readonly openEpisodes: () => ReadonlyMap<string, number>;
}

/** Opens everything that tells the outside: store, journal, page, sockets. It answers as soon as it is open. */
export async function openPublishing(parts: {
  readonly config: LoadedConfig;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly faults: RepeatSummary;
  readonly log: Log;
  readonly closers: CloseStack;
  readonly readiness: (journal: EpisodeJournal) => ReadinessReport;
  readonly cameras: () => readonly CameraEvent[];
}): Promise<Publishing> {
  const { config, clock, metrics, faults, log, closers, readiness, cameras } = parts;
  const store = await SqliteEpisodeStore.open({
    path: config.store.path,
    clock,
    onSyncFailed: (error) => faults.add('the disk did not confirm a write of the store', error),
  });
  closers.push('store', () => store.close());
  const bus = new InProcessEventBus({
    onHandlerError: (event, error) => {
      metrics.publishFailed('socket');
      faults.add(`an event "${event}" could not be handled`, error);
    },
  });
  const journal = new EpisodeJournal({
    store,
    bus,
    clock,
    onWriteFailed: ({ code, message }) => {
      metrics.publishFailed('store');
      faults.add(`an episode cannot be stored yet; it is kept and tried again: ${code} ${message}`);
    },
    onRecovered: () => log.info({}, 'the store takes episodes again'),
    onLost: ({ episode, change }, why) => {
      metrics.queueDropped('journal');
      log.error({ episodeId: episode.id, change, why }, 'a change of an episode is lost');
    },
  });
  metrics.addQueue('journal', journal.capacity, () => journal.pendingCount);
  /** Camera by episode. */
  const openEpisodes = new Map<string, string>();
  bus.subscribe('episode', ({ kind, change: { episode, change } }) => {
    if (kind === 'provisional') return;
    metrics.episodeChanged(episode.cameraId, change);
    if (episode.state === 'open') openEpisodes.set(episode.id, episode.cameraId);
    else openEpisodes.delete(episode.id);
  });

  const { host, port, auth, corsOrigins } = config.server;
  const authority = auth ? new TokenAuthority(auth.secret.reveal()) : null;
  const http = await HttpServer.open({
    ...{ host, port, metrics, corsOrigins, webRoot: webRoot() },
    readiness: () => readiness(journal),
    ...(authority ? { auth: authority } : {}),
    onError: (error) => faults.add('a request failed', error),
  });
  closers.push('http', () => http.close());
  const gateway = await SocketGateway.open({
    ...{ server: http.server, bus, store, journal, clock, cameras, corsOrigins, observer: metrics },
    isRequestAllowed: (request) => http.isRequestAllowed(request),
    onError: (error) => {
      metrics.publishFailed('socket');
      faults.add('a client could not be served', error);
    },
    ...(authority ? { authenticate: (token: unknown) => authority.verify(token) } : {}),
  });
  closers.push('sockets', () => gateway.close());
  // Before the sockets: what the cameras' end closes is still stored and told.
  closers.push('journal', () => journal.close());
  const pictures = new PictureEncoder({
    onPicture: (picture) => bus.publish('picture', picture),
    onSkipped: () => metrics.messageDropped('picture'),
    onFailed: (cameraId, error) => {
      metrics.publishFailed('picture');
      faults.add(`a picture of ${cameraId} could not be encoded: ${String(error)}`);
    },
  });
  closers.push('pictures', () => pictures.close());
  const countOpen = () => {
    const counts = new Map<string, number>();
    for (const cameraId of openEpisodes.values()) counts.set(cameraId, (counts.get(cameraId) ?? 0) + 1);
    return counts;
  };
  return { bus, journal, http, gateway, pictures, openEpisodes: countOpen };
}
