import { io, type Socket } from 'socket.io-client';
import type { CameraStatus } from '../../src/domain/camera.js';
import { TokenAuthority } from '../../src/http/auth.js';
import { HttpServer } from '../../src/http/http-server.js';
import { assessReadiness, type ReadinessInput } from '../../src/http/readiness.js';
import { Metrics } from '../../src/observability/metrics.js';
import { EpisodeJournal } from '../../src/publish/episode-journal.js';
import { type CameraEvent, InProcessEventBus } from '../../src/publish/event-bus.js';
import type { ClientToServerEvents, ServerToClientEvents, StatsPayload } from '../../src/publish/events.js';
import { SocketGateway, type SocketGatewayOptions } from '../../src/publish/socket-gateway.js';
import { SqliteEpisodeStore } from '../../src/publish/sqlite-episode-store.js';

export type TestClient = Socket<ServerToClientEvents, ClientToServerEvents>;
export const SECRET = 'a secret of thirty-two characters, or more';

export function cameraEvent(cameraId: string, over: Partial<CameraStatus> = {}): CameraEvent {
  return {
    name: `Camera ${cameraId}`,
    status: {
      cameraId,
      state: 'live',
      reason: 'first_frame',
      sinceMs: 0,
      lastFrameAgeMs: 5,
      restarts: 0,
      ...over,
    },
  };
}

export const detections = (cameraId: string, frameId: number) => ({
  cameraId,
  frameId,
  capturedAtMs: 1000 + frameId,
  sourceWidth: 1280,
  sourceHeight: 720,
  faces: [],
});

export function stats(perCamera: string[]): StatsPayload {
  return {
    v: 1,
    at: new Date(0).toISOString(),
    cameras: { connecting: 0, live: perCamera.length, stalled: 0, backing_off: 0, disabled: 0 },
    analysedFps: 10,
    droppedFps: 0,
    perCamera: Object.fromEntries(
      perCamera.map((id) => [id, { analysedFps: 5, droppedFps: 0, faces: 1, dueFps: 5, openEpisodes: 1 }]),
    ),
    latencyMs: null,
    openEpisodes: perCamera.length,
    isDegraded: false,
    engine: 'onnxruntime',
  };
}

export const READY: ReadinessInput = {
  isModelLoaded: true,
  workersReady: 2,
  isClosing: false,
  cameraStates: ['live'],
  storeFailure: null,
  pendingEpisodeChanges: 0,
};

/** All that stands between the bus and a client, real, on an ephemeral port. */
export async function startStack(
  options: Partial<SocketGatewayOptions> & {
    hasAuth?: boolean;
    webRoot?: string;
    readiness?: () => ReadinessInput;
  } = {},
) {
  const { hasAuth = false, webRoot = '/nowhere', readiness = () => READY, ...gatewayOptions } = options;
  const errors: unknown[] = [];
  const bus = new InProcessEventBus({ onHandlerError: (_name, error) => errors.push(error) });
  const metrics = new Metrics({ version: '0.0.0-test', dropReasons: ['stale', 'failed'] });
  const store = await SqliteEpisodeStore.open({ path: ':memory:' });
  const journal = new EpisodeJournal({ store, bus });
  const cameras = new Map(['gate', 'hall'].map((id) => [id, cameraEvent(id)]));
  const authority = new TokenAuthority(SECRET);
  const http = await HttpServer.open({
    host: '127.0.0.1',
    port: 0,
    webRoot,
    metrics,
    readiness: () => assessReadiness(readiness()),
    ...(hasAuth ? { auth: authority } : {}),
    onError: (error) => errors.push(error),
  });
  const gateway = await SocketGateway.open({
    server: http.server,
    bus,
    store,
    journal,
    cameras: () => [...cameras.values()],
    ...(hasAuth ? { authenticate: (token) => authority.verify(token) } : {}),
    isRequestAllowed: (request) => http.isRequestAllowed(request),
    observer: metrics,
    onError: (error) => errors.push(error),
    ...gatewayOptions,
  });
  const clients: TestClient[] = [];
  return {
    bus,
    metrics,
    store,
    journal,
    cameras,
    authority,
    http,
    gateway,
    errors,
    /** Not connected yet unless `autoConnect`. */
    client(clientOptions: Parameters<typeof io>[1] = {}): TestClient {
      const client: TestClient = io(http.url, { transports: ['websocket'], ...clientOptions });
      clients.push(client);
      return client;
    },
    async metric(line: string): Promise<number> {
      const found = (await metrics.text()).split('\n').find((text) => text.startsWith(`${line} `));
      return Number(found?.split(' ').at(-1));
    },
    async close() {
      for (const client of clients) client.close();
      await journal.close();
      await gateway.close();
      await http.close();
      await store.close();
      metrics.close();
    },
  };
}
export type Stack = Awaited<ReturnType<typeof startStack>>;

export function next<Name extends keyof ServerToClientEvents>(
  client: TestClient,
  name: Name,
): Promise<Parameters<ServerToClientEvents[Name]>[0]> {
  return new Promise((resolve) => {
    (client as Socket).once(name as string, resolve);
  });
}

export function connected(client: TestClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('connect_error', reject);
  });
}

/** Emits whatever is given, as a foreign program might. */
export const rawEmit = (client: TestClient, ...args: unknown[]) =>
  (client as Socket).emit(...(args as [string, ...unknown[]]));
