import { computed, signal } from '@preact/signals';
import { io, type Socket } from 'socket.io-client';
import type {
  CameraPayload,
  ClientToServerEvents,
  EpisodePayload,
  ErrorReply,
  ServerToClientEvents,
  StatsPayload,
} from '../../src/publish/events';
import { EpisodeBook } from './episode-book';
import { FrameMatcher } from './frame-matcher';

/** Where the page stands with the service. */
export type ConnectionState = 'connecting' | 'connected' | 'lost' | 'token_needed';

type ControlRoomSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

const TOKEN_KEY = 'maskwatch.token';
/** How many of the newest changes the page asks for when it opens. */
const HISTORY_CHANGES = 500;

/** The server turned the page away, which Socket.IO takes for final: how long until it is asked again. */
const TURNED_AWAY_MS = 5000;

export const connectionState = signal<ConnectionState>('connecting');
/** Why the last token was not taken; `null` when none was given yet. */
export const tokenProblem = signal<string | null>(null);
export const cameras = signal<readonly CameraPayload[]>([]);
export const stats = signal<StatsPayload | null>(null);
export const episodes = signal<readonly EpisodePayload[]>([]);
/** Page time of the newest message, to tell silence from health. */
export const lastMessageAt = signal(performance.now());
/** Open episodes that nobody has looked at yet. */
export const pendingEpisodeCount = computed(
  () => episodes.value.filter((episode) => !episode.closedAt && !episode.verdict).length,
);

export const frames = new FrameMatcher();
const book = new EpisodeBook(300);
let socket: ControlRoomSocket | null = null;

export function connect(): void {
  socket?.disconnect();
  const token = sessionStorage.getItem(TOKEN_KEY);
  const next: ControlRoomSocket = io({
    transports: ['websocket', 'polling'],
    ...(token ? { auth: { token } } : {}),
  });
  socket = next;
  next.on('connect', () => void join(next));
  next.on('disconnect', (reason) => {
    if (socket !== next) return;
    connectionState.value = 'lost';
    // The server ended it, as it does with a token that has expired: asking again tells why.
    if (reason === 'io server disconnect') next.connect();
  });
  next.on('connect_error', (error) => {
    if (socket !== next) return;
    const code = (error as { data?: { code?: string } }).data?.code ?? '';
    if (/^AUTH_/.test(code)) {
      tokenProblem.value = code === 'AUTH_REQUIRED' ? null : `It was not accepted: ${error.message}.`;
      connectionState.value = 'token_needed';
      return;
    }
    connectionState.value = 'lost';
    if (!next.active) setTimeout(() => socket === next && next.connect(), TURNED_AWAY_MS);
  });
  next.on('camera', (payload) => {
    const others = cameras.value.filter((camera) => camera.cameraId !== payload.cameraId);
    const known = others.length < cameras.value.length;
    cameras.value = known
      ? cameras.value.map((camera) => (camera.cameraId === payload.cameraId ? payload : camera))
      : [...cameras.value, payload];
  });
  next.on('camera:removed', ({ cameraId }) => {
    cameras.value = cameras.value.filter((camera) => camera.cameraId !== cameraId);
  });
  next.on('stats', (payload) => {
    stats.value = payload;
    lastMessageAt.value = performance.now();
  });
  next.on('detections', (payload) => frames.detections(payload));
  next.on('picture', (payload) => frames.picture(payload));
  next.on('episode', (payload) => {
    if (book.add(payload)) episodes.value = book.list();
  });
}

async function join(current: ControlRoomSocket): Promise<void> {
  const reply = await current.emitWithAck('subscribe', { cameras: 'all', pictures: true });
  if (!reply.ok) {
    connectionState.value = 'lost';
    return;
  }
  frames.reset();
  cameras.value = reply.cameras;
  connectionState.value = 'connected';
  lastMessageAt.value = performance.now();
  // What happened while the page was closed or away; live changes may arrive in between, the book sorts them.
  if (book.lastSequence !== null && reply.sequence < book.lastSequence) book.clear();
  let from = book.lastSequence ?? Math.max(0, reply.sequence - HISTORY_CHANGES);
  for (;;) {
    const page = await current.emitWithAck('episodes:since', { sequence: from, limit: HISTORY_CHANGES });
    if (!page.ok) return;
    for (const payload of page.episodes) book.add(payload);
    episodes.value = book.list();
    const last = page.episodes.at(-1);
    if (!page.hasMore || !last) return;
    from = last.sequence;
  }
}

export function useToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token.trim());
  connectionState.value = 'connecting';
  connect();
}

/** Sends a verdict; resolves to a message for the operator when it was not taken. */
export async function acknowledge(episode: EpisodePayload): Promise<string | null> {
  if (!socket?.connected) return 'Not connected: the verdict was not sent.';
  const reply = await socket.emitWithAck('episode:acknowledge', { id: episode.id, version: episode.version });
  return settle(reply);
}

export async function reject(episode: EpisodePayload, reason: string): Promise<string | null> {
  if (!socket?.connected) return 'Not connected: the verdict was not sent.';
  const reply = await socket.emitWithAck('episode:reject', {
    id: episode.id,
    version: episode.version,
    reason,
  });
  return settle(reply);
}

function settle(reply: { ok: true; episode: EpisodePayload } | ErrorReply): string | null {
  if (!reply.ok) {
    if (reply.current && book.add(reply.current)) episodes.value = book.list();
    return reply.error.code === 'EPISODE_VERSION_CONFLICT'
      ? 'It changed meanwhile; look again before you decide.'
      : reply.error.message;
  }
  if (book.add(reply.episode)) episodes.value = book.list();
  return null;
}
