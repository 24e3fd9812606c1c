import type { Frame, PixelBuffer } from '../domain/frame.js';
import { AppError } from '../lib/errors.js';

/** What is known of a frame besides its pixels. */
export interface FrameStamp {
  readonly capturedAtMs: number;
  readonly monotonicMs: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly contentWidth: number;
  readonly contentHeight: number;
}

/**
 * A camera's frame buffers: a fixed number of slots in one SharedArrayBuffer, written again and again. A slot
 * is free when nobody holds its frame. The ring lives as long as the camera, over restarts of its source.
 */
export class FrameRing {
  readonly cameraId: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Bytes of one frame: rgb24, `widthPx * heightPx * 3`. */
  readonly frameBytes: number;
  readonly slotCount: number;
  readonly #buffer: SharedArrayBuffer;
  readonly #free: number[];
  #onFree: (() => void) | null = null;

  /**
   * @param options.slotCount Default 4: one being written, one waiting, one in analysis, one to spare.
   */
  constructor(options: { cameraId: string; widthPx: number; heightPx: number; slotCount?: number }) {
    this.cameraId = options.cameraId;
    this.widthPx = options.widthPx;
    this.heightPx = options.heightPx;
    this.frameBytes = options.widthPx * options.heightPx * 3;
    this.slotCount = options.slotCount ?? 4;
    this.#buffer = new SharedArrayBuffer(this.frameBytes * this.slotCount);
    this.#free = Array.from({ length: this.slotCount }, (_, index) => this.slotCount - 1 - index);
  }

  get freeCount(): number {
    return this.#free.length;
  }

  /** A slot to write into, or `null` when every one is held. Ends with {@link WritableSlot.publish} or `discard`. */
  acquire(): WritableSlot | null {
    const index = this.#free.pop();
    if (index === undefined) return null;
    const byteOffset = index * this.frameBytes;
    let isOpen = true;
    const close = () => {
      if (!isOpen) throw new AppError('INGEST_SLOT_CLOSED', 'A frame slot was finished twice');
      isOpen = false;
    };
    return {
      bytes: new Uint8Array(this.#buffer, byteOffset, this.frameBytes),
      publish: (stamp) => {
        close();
        return new RingFrame(this, this.#buffer, byteOffset, stamp, () => this.#giveBack(index));
      },
      discard: () => {
        close();
        this.#giveBack(index);
      },
    };
  }

  /** Calls `callback` once, as soon as a slot becomes free. One waiter at a time. */
  onceFree(callback: () => void): void {
    this.#onFree = callback;
  }

  /** Forgets the waiter of {@link onceFree}. */
  cancelOnceFree(): void {
    this.#onFree = null;
  }

  #giveBack(index: number): void {
    this.#free.push(index);
    const callback = this.#onFree;
    this.#onFree = null;
    callback?.();
  }
}

export interface WritableSlot {
  /** `frameBytes` bytes to fill; not to be touched after `publish` or `discard`. */
  readonly bytes: Uint8Array;
  /** Makes it a frame, held once by the caller. */
  publish(stamp: FrameStamp): Frame;
  discard(): void;
}

const nextFrameIds = new Map<string, number>();

/** Per camera and process, so that ids are not used again when a camera is configured anew. */
function takeFrameId(cameraId: string): number {
  const id = nextFrameIds.get(cameraId) ?? 0;
  nextFrameIds.set(cameraId, id + 1);
  return id;
}

class RingFrame implements Frame {
  readonly cameraId: string;
  readonly frameId: number;
  readonly capturedAtMs: number;
  readonly monotonicMs: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly pixels: PixelBuffer;
  readonly #onReleased: () => void;
  #holds = 1;

  constructor(
    ring: FrameRing,
    buffer: SharedArrayBuffer,
    byteOffset: number,
    stamp: FrameStamp,
    onReleased: () => void,
  ) {
    this.cameraId = ring.cameraId;
    this.frameId = takeFrameId(ring.cameraId);
    this.capturedAtMs = stamp.capturedAtMs;
    this.monotonicMs = stamp.monotonicMs;
    this.sourceWidth = stamp.sourceWidth;
    this.sourceHeight = stamp.sourceHeight;
    this.pixels = {
      buffer,
      byteOffset,
      width: ring.widthPx,
      height: ring.heightPx,
      contentWidth: stamp.contentWidth,
      contentHeight: stamp.contentHeight,
    };
    this.#onReleased = onReleased;
  }

  retain(): void {
    this.#assertHeld();
    this.#holds += 1;
  }

  release(): void {
    this.#assertHeld();
    this.#holds -= 1;
    if (this.#holds === 0) this.#onReleased();
  }

  /** A mistake here would let two frames share pixels silently, so it is loud. */
  #assertHeld(): void {
    if (this.#holds > 0) return;
    throw new AppError(
      'INGEST_FRAME_RELEASED',
      `Frame ${this.frameId} of ${this.cameraId} was used after its last release`,
    );
  }
}
