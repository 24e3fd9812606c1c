import type { DetectionsPayload, PicturePayload } from '../../src/publish/events';

export interface MatchedFrame {
  readonly picture: PicturePayload;
  readonly detections: DetectionsPayload;
  /** Rises with every {@link FrameMatcher.reset}: frame numbers of another epoch mean nothing here. */
  readonly epoch: number;
}

type Listener = (frame: MatchedFrame) => void;

/** Unmatched halves kept per camera: a picture is encoded while a few newer detections may already pass it. */
const KEPT = 4;

/**
 * Brings a picture and the boxes of the same frame together, so that boxes are only ever drawn on the frame
 * in which they were found. Both come by volatile messages and either may be missing: a half whose partner
 * never comes is forgotten.
 */
export class FrameMatcher {
  readonly #pictures = new Map<string, PicturePayload[]>();
  readonly #detections = new Map<string, DetectionsPayload[]>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #newest = new Map<string, number>();
  #epoch = 0;

  picture(payload: PicturePayload): void {
    const detections = this.#detections
      .get(payload.cameraId)
      ?.find((other) => other.frameId === payload.frameId);
    if (detections) this.#tell(payload, detections);
    else keep(this.#pictures, payload);
  }

  detections(payload: DetectionsPayload): void {
    const picture = this.#pictures.get(payload.cameraId)?.find((other) => other.frameId === payload.frameId);
    if (picture) this.#tell(picture, payload);
    else keep(this.#detections, payload);
  }

  /** Calls `listener` with every matched frame of a camera, newest last, never an older one after a newer. */
  listen(cameraId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(cameraId) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(cameraId, listeners);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Forgets all frames: a restarted service counts them anew. Listeners stay. */
  reset(): void {
    this.#pictures.clear();
    this.#detections.clear();
    this.#newest.clear();
    this.#epoch += 1;
  }

  #tell(picture: PicturePayload, detections: DetectionsPayload): void {
    const { cameraId, frameId } = detections;
    if (frameId <= (this.#newest.get(cameraId) ?? -1)) return;
    this.#newest.set(cameraId, frameId);
    forgetUpTo(this.#pictures, cameraId, frameId);
    forgetUpTo(this.#detections, cameraId, frameId);
    const frame: MatchedFrame = { picture, detections, epoch: this.#epoch };
    for (const listener of this.#listeners.get(cameraId) ?? []) listener(frame);
  }
}

function keep<T extends { cameraId: string }>(map: Map<string, T[]>, payload: T): void {
  const kept = map.get(payload.cameraId) ?? [];
  kept.push(payload);
  if (kept.length > KEPT) kept.shift();
  map.set(payload.cameraId, kept);
}

function forgetUpTo(map: Map<string, { frameId: number }[]>, cameraId: string, frameId: number): void {
  const kept = map.get(cameraId);
  if (kept) {
    const later = kept.filter((payload) => payload.frameId > frameId);
    kept.splice(0, kept.length, ...later);
  }
}
