import { io, type Socket } from 'socket.io-client';
import type {
  CameraPayload,
  ClientToServerEvents,
  DetectionsPayload,
  EpisodePayload,
  PicturePayload,
  ServerToClientEvents,
} from '../../src/publish/events.js';

type ServerEvent = keyof ServerToClientEvents;
type Payload<Name extends ServerEvent> = Parameters<ServerToClientEvents[Name]>[0];

export interface SeenFrame {
  readonly detections: DetectionsPayload;
  readonly picture: PicturePayload;
}

/** A client as somebody would write it with socket.io-client, that remembers what it was told. */
export class ControlRoom {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly episodes: EpisodePayload[] = [];
  readonly cameras: CameraPayload[] = [];
  readonly frames: SeenFrame[] = [];
  readonly detectionCounts = new Map<string, number>();
  /** Every payload but pictures, as it came over the wire. */
  readonly said: string[] = [];
  readonly #halves = new Map<string, { detections?: DetectionsPayload; picture?: PicturePayload }>();

  private constructor(url: string) {
    this.socket = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 50 });
    this.socket.onAny((name: ServerEvent, payload: unknown) => {
      if (name !== 'picture') this.said.push(JSON.stringify(payload));
    });
    this.socket.on('episode', (payload) => void this.episodes.push(payload));
    this.socket.on('camera', (payload) => void this.cameras.push(payload));
    this.socket.on('detections', (payload) => {
      const { cameraId } = payload;
      this.detectionCounts.set(cameraId, (this.detectionCounts.get(cameraId) ?? 0) + 1);
      this.#half(payload, { detections: payload });
    });
    this.socket.on('picture', (payload) => this.#half(payload, { picture: payload }));
  }

  /** Connects and subscribes. `pictures`: of which frames pairs of boxes and picture are kept. */
  static async enter(
    url: string,
    options: { cameras?: string[] | 'all'; pictures?: boolean } = {},
  ): Promise<ControlRoom> {
    const room = new ControlRoom(url);
    await room.connected();
    const reply = await room.socket.emitWithAck('subscribe', {
      cameras: options.cameras ?? 'all',
      pictures: options.pictures ?? false,
    });
    if (!reply.ok) throw new Error(reply.error.message);
    room.cameras.push(...reply.cameras);
    return room;
  }

  async connected(): Promise<void> {
    if (this.socket.connected) return;
    await new Promise<void>((resolve) => this.socket.once('connect', () => resolve()));
  }

  /** What the service has in its journal. */
  async journal(sequence = 0): Promise<EpisodePayload[]> {
    const all: EpisodePayload[] = [];
    for (let from = sequence; ; ) {
      const reply = await this.socket.emitWithAck('episodes:since', { sequence: from, limit: 1000 });
      if (!reply.ok) throw new Error(reply.error.message);
      all.push(...reply.episodes);
      from = reply.sequence;
      if (!reply.hasMore) return all;
    }
  }

  /** The first event from now on that satisfies `isWanted`. */
  next<Name extends ServerEvent>(
    name: Name,
    isWanted: (payload: Payload<Name>) => boolean = () => true,
  ): Promise<Payload<Name>> {
    const socket = this.socket as unknown as {
      on(name: string, listener: (payload: Payload<Name>) => void): void;
      off(name: string, listener: (payload: Payload<Name>) => void): void;
    };
    return new Promise((resolve) => {
      const listen = (payload: Payload<Name>) => {
        if (!isWanted(payload)) return;
        socket.off(name, listen);
        resolve(payload);
      };
      socket.on(name, listen);
    });
  }

  /** The first episode change so far, or to come, that satisfies `isWanted`. */
  async episode(isWanted: (payload: EpisodePayload) => boolean): Promise<EpisodePayload> {
    return this.episodes.find(isWanted) ?? (await this.next('episode', isWanted));
  }

  /** Resolves once the camera is in one of these states, now or later. */
  async camera(id: string, ...states: CameraPayload['state'][]): Promise<CameraPayload> {
    const isWanted = (payload: CameraPayload) => payload.cameraId === id && states.includes(payload.state);
    const current = this.cameras.findLast(({ cameraId }) => cameraId === id);
    return current && isWanted(current) ? current : await this.next('camera', isWanted);
  }

  /** Waits for `count` more frames of a camera, each with its picture. */
  async framesOf(cameraId: string, count: number): Promise<SeenFrame[]> {
    const from = this.frames.length;
    for (;;) {
      const seen = this.frames.slice(from).filter(({ detections }) => detections.cameraId === cameraId);
      if (seen.length >= count) return seen.slice(0, count);
      await this.next('picture');
    }
  }

  leave(): void {
    this.socket.disconnect();
  }

  #half(
    { cameraId, frameId }: { cameraId: string; frameId: number },
    half: { detections?: DetectionsPayload; picture?: PicturePayload },
  ): void {
    const key = `${cameraId} ${frameId}`;
    const { detections, picture } = { ...this.#halves.get(key), ...half };
    if (!detections || !picture) {
      this.#halves.set(key, { ...(detections ? { detections } : {}), ...(picture ? { picture } : {}) });
      return;
    }
    this.#halves.delete(key);
    this.frames.push({ detections, picture });
  }
}
