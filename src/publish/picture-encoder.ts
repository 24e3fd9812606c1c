import sharp from 'sharp';
import type { Frame } from '../domain/frame.js';
import type { PictureEvent } from './event-bus.js';

export interface PictureEncoderOptions {
  /** JPEG quality, 1–100. Default 70: some 25 kB for 640×360. */
  readonly quality?: number;
  /** Called when a picture is ready. */
  readonly onPicture: (picture: PictureEvent) => void;
  /** A frame was left out because the camera's last one was still being encoded. */
  readonly onSkipped?: (cameraId: string) => void;
  readonly onFailed?: (cameraId: string, error: unknown) => void;
}

/**
 * Makes JPEGs of frames on libvips' threads, straight from the shared buffer: nothing is copied, and the main
 * thread only starts the work. The frame is held until its picture is done, because libvips reads it late.
 * At most one picture per camera is in the making; a newer frame is skipped and counted.
 */
export class PictureEncoder {
  readonly #options: PictureEncoderOptions;
  readonly #busy = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(options: PictureEncoderOptions) {
    this.#options = options;
  }

  /** Pictures in the making. */
  get activeCount(): number {
    return this.#busy.size;
  }

  /** Offers a frame; the caller keeps its own hold. Returns whether it is taken. */
  offer(frame: Frame): boolean {
    if (this.#isClosed) return false;
    if (this.#busy.has(frame.cameraId)) {
      this.#options.onSkipped?.(frame.cameraId);
      return false;
    }
    frame.retain();
    const work = this.#encode(frame).finally(() => {
      frame.release();
      this.#busy.delete(frame.cameraId);
    });
    this.#busy.set(frame.cameraId, work);
    return true;
  }

  /** Takes no more and waits for what is in the making. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#busy.values());
  }

  async #encode(frame: Frame): Promise<void> {
    const { cameraId, frameId, capturedAtMs } = frame;
    try {
      const jpeg = await encodeJpeg(frame, this.#options.quality ?? 70);
      if (!this.#isClosed) this.#options.onPicture({ cameraId, frameId, capturedAtMs, jpeg });
    } catch (error) {
      this.#options.onFailed?.(cameraId, error);
    }
  }
}

/**
 * JPEG of the content area of a frame (rgb24, see `PixelBuffer`), 4:2:0. Hold the frame until it resolves.
 * `quality` 1–100.
 */
export async function encodeJpeg(frame: Pick<Frame, 'pixels'>, quality: number): Promise<Buffer> {
  const { buffer, byteOffset, width, contentWidth, contentHeight } = frame.pixels;
  // The content begins at the top left, so what is below it is left out by length, what is beside it by a cut.
  const view = Buffer.from(buffer, byteOffset, width * contentHeight * 3);
  const picture = sharp(view, { raw: { width, height: contentHeight, channels: 3 } });
  if (contentWidth < width) picture.extract({ left: 0, top: 0, width: contentWidth, height: contentHeight });
  return picture.jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer();
}
