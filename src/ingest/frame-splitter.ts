import { Writable } from 'node:stream';
import type { Frame } from '../domain/frame.js';
import type { FrameRing, FrameStamp, WritableSlot } from './frame-ring.js';
import type { FrameDropReason } from './frame-source.js';

/** Sizes of the camera's picture and of what is left of it in the analysed frame, pixels. */
export type PictureSize = Pick<FrameStamp, 'sourceWidth' | 'sourceHeight' | 'contentWidth' | 'contentHeight'>;

export interface FrameSplitterOptions {
  readonly ring: FrameRing;
  /** The two times of a frame; called the moment its last byte has arrived. `index` counts from 0. */
  readonly stamp: (index: number) => Pick<FrameStamp, 'capturedAtMs' | 'monotonicMs'>;
  /** The receiver owns one hold. */
  readonly onFrame: (frame: Frame) => void;
  readonly onDropped: (reason: FrameDropReason) => void;
  /**
   * `drop` (live): the pipe is always drained; a frame that finds no free slot is thrown away and counted.
   * `wait` (recorded): the pipe waits until a slot is free, so nothing is lost.
   */
  readonly whenFull: 'drop' | 'wait';
  /** Second best size, asked when a second frame is complete before {@link FrameSplitter.setPictureSize}. */
  readonly fallbackSize?: () => PictureSize | null;
}

/**
 * Cuts the raw bytes from ffmpeg's pipe into frames, copying each chunk once, straight into shared memory.
 *
 * The size of the camera's picture comes on another pipe (stderr), and although ffmpeg writes it first, it may
 * be read later: until {@link setPictureSize} was called the first frame is kept back; further ones are dropped
 * or wait.
 */
export class FrameSplitter extends Writable {
  readonly #options: FrameSplitterOptions;
  readonly #frameBytes: number;
  #slot: WritableSlot | null = null;
  /** Bytes of the current frame that have arrived, written or thrown away. */
  #position = 0;
  #index = 0;
  #size: PictureSize | null = null;
  #early: { slot: WritableSlot; times: Pick<FrameStamp, 'capturedAtMs' | 'monotonicMs'> } | null = null;
  #isStopped = false;
  /** Goes on with the rest of a chunk that waits for a slot, or for the picture's size. */
  #resume: (() => void) | null = null;

  constructor(options: FrameSplitterOptions) {
    // The default mark of 16 KiB would pause and resume the pipe with every chunk.
    // No `close` event: fluent-ffmpeg would take it for a reason to kill its process.
    super({ highWaterMark: 1 << 20, autoDestroy: false, emitClose: false });
    this.#options = options;
    this.#frameBytes = options.ring.frameBytes;
  }

  /** Frames completed so far, delivered or dropped. */
  get frameCount(): number {
    return this.#index;
  }

  get hasPictureSize(): boolean {
    return this.#size !== null;
  }

  /** Valid for frames that complete from now on. */
  setPictureSize(size: PictureSize): void {
    this.#size = size;
    const early = this.#early;
    this.#early = null;
    if (early) this.#deliver(early.slot, early.times);
    this.#goOn();
  }

  /**
   * The pipe has ended: resolves when all that came through it, which may still wait for slots, and what was
   * kept back is delivered, or at once after {@link stop}.
   */
  async finish(): Promise<void> {
    await new Promise<void>((resolve) => this.end(resolve));
    const size = this.#early ? (this.#options.fallbackSize?.() ?? null) : null;
    if (size && !this.#size) this.setPictureSize(size);
    this.stop();
  }

  /** From now on bytes are swallowed, nothing is delivered, and every slot is given back. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#slot?.discard();
    this.#slot = null;
    this.#early?.slot.discard();
    this.#early = null;
    this.#options.ring.cancelOnceFree();
    this.#goOn();
  }

  /** Takes a chunk that is only lent: all of it is used on return. For `whenFull: 'drop'`, which never waits. */
  take(chunk: Uint8Array): void {
    if (this.#options.whenFull !== 'drop')
      throw new Error('a splitter that may wait cannot borrow its bytes');
    this.#consume(chunk, 0, () => {});
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#consume(chunk, 0, callback);
  }

  #consume(chunk: Uint8Array, from: number, done: () => void): void {
    let offset = from;
    while (offset < chunk.length && !this.#isStopped) {
      if (this.#position === 0 && !this.#slot) {
        if (this.#options.whenFull === 'wait' && this.#early) {
          this.#pauseAt(chunk, offset, done);
          return; // Until setPictureSize.
        }
        this.#slot = this.#options.ring.acquire();
        if (!this.#slot && this.#options.whenFull === 'wait') {
          this.#pauseAt(chunk, offset, done);
          this.#options.ring.onceFree(() => this.#goOn());
          return;
        }
      }
      const count = Math.min(this.#frameBytes - this.#position, chunk.length - offset);
      if (this.#slot) {
        // A view on the chunk, copied by set(): the only copy on the way from the pipe to the worker.
        this.#slot.bytes.set(
          count === chunk.length ? chunk : chunk.subarray(offset, offset + count),
          this.#position,
        );
      }
      offset += count;
      this.#position += count;
      if (this.#position === this.#frameBytes) this.#finishFrame();
    }
    done();
  }

  #pauseAt(chunk: Uint8Array, offset: number, done: () => void): void {
    this.#resume = () => this.#consume(chunk, offset, done);
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  #finishFrame(): void {
    const slot = this.#slot;
    this.#slot = null;
    this.#position = 0;
    const times = this.#options.stamp(this.#index);
    this.#index += 1;
    if (!this.#size && this.#early) {
      const size = this.#options.fallbackSize?.() ?? null;
      if (size) this.setPictureSize(size);
    }
    if (!slot) {
      this.#options.onDropped('no_buffer');
    } else if (this.#size) {
      this.#deliver(slot, times);
    } else if (!this.#early) {
      this.#early = { slot, times };
    } else {
      slot.discard();
      this.#options.onDropped('no_buffer');
    }
  }

  #deliver(slot: WritableSlot, times: Pick<FrameStamp, 'capturedAtMs' | 'monotonicMs'>): void {
    if (!this.#size) throw new Error('unreachable: delivered before the size is known');
    this.#options.onFrame(slot.publish({ ...times, ...this.#size }));
  }
}
