import type { CameraStatus } from '../domain/camera.js';
import type { SequencedEpisodeChange } from '../domain/episode.js';
import type { FaceVerdict } from '../domain/face.js';
import type { StatsPayload } from './events.js';

/** Faces of one analysed frame; boxes in pixels of the source frame. */
export interface DetectionsEvent {
  readonly cameraId: string;
  readonly frameId: number;
  /** Wall clock as the frame left ffmpeg, ms since 1970. */
  readonly capturedAtMs: number;
  /** Size of the source frame in pixels: the space of the boxes. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly faces: readonly FaceVerdict[];
}

/** The picture of the frame whose `detections` carry the same `frameId`. */
export interface PictureEvent {
  readonly cameraId: string;
  readonly frameId: number;
  readonly capturedAtMs: number;
  /** JPEG of the content area, usually smaller than the source frame. Not to be written to. */
  readonly jpeg: Uint8Array;
}

/** `provisional` changes could not be stored yet; they come again as `stored`. See docs/adr. */
export type EpisodeEvent =
  | { readonly kind: 'stored'; readonly change: SequencedEpisodeChange }
  | { readonly kind: 'provisional'; readonly change: SequencedEpisodeChange & { readonly sequence: 0 } };

/** A camera as clients see it. */
export interface CameraEvent {
  readonly name: string;
  readonly status: CameraStatus;
}

export interface BusEvents {
  detections: DetectionsEvent;
  picture: PictureEvent;
  episode: EpisodeEvent;
  camera: CameraEvent;
  cameraRemoved: { readonly cameraId: string };
  stats: StatsPayload;
}
export type BusEventName = keyof BusEvents;

/**
 * Carries what the pipeline found to whoever tells it on. `detections`, `picture` and `stats` are volatile:
 * the newest counts. `episode` is reliable and in order: it is only published once it is stored (or marked
 * provisional).
 */
export interface EventBus {
  publish<Name extends BusEventName>(name: Name, event: BusEvents[Name]): void;
  /** Handlers are called in the order in which they came. Dispose the result to stop. */
  subscribe<Name extends BusEventName>(name: Name, handler: (event: BusEvents[Name]) => void): Disposable;
}

/**
 * The bus within one process. Delivery is synchronous, so it holds nothing: no queue, no bound, no drop of its
 * own. Back-pressure is each subscriber's: it must return at once and keep at most a bounded amount.
 * A handler that throws is reported and does not keep the others from the event.
 */
export class InProcessEventBus implements EventBus {
  readonly #handlers = new Map<BusEventName, Set<(event: never) => void>>();
  readonly #onHandlerError: (name: BusEventName, error: unknown) => void;

  constructor(options: { onHandlerError: (name: BusEventName, error: unknown) => void }) {
    this.#onHandlerError = options.onHandlerError;
  }

  publish<Name extends BusEventName>(name: Name, event: BusEvents[Name]): void {
    const handlers = this.#handlers.get(name) as Set<(event: BusEvents[Name]) => void> | undefined;
    if (!handlers) return;
    for (const handler of handlers) {
      try {
        handler(event);
      } catch (error) {
        this.#onHandlerError(name, error);
      }
    }
  }

  subscribe<Name extends BusEventName>(name: Name, handler: (event: BusEvents[Name]) => void): Disposable {
    let handlers = this.#handlers.get(name);
    if (!handlers) {
      handlers = new Set();
      this.#handlers.set(name, handlers);
    }
    // A wrapper of its own, so that the same function may be subscribed twice and disposed once.
    const entry = (event: BusEvents[Name]) => handler(event);
    handlers.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#handlers.get(name)?.delete(entry);
      },
    };
  }
}
