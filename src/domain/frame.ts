/**
 * One picture in shared memory: rgb24, interleaved, rows top to bottom without padding, `width * height * 3`
 * bytes from `byteOffset`. The picture itself covers `contentWidth` × `contentHeight` pixels from the top
 * left corner; what is beside or below it is black (the camera's aspect ratio is kept).
 */
export interface PixelBuffer {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly width: number;
  readonly height: number;
  readonly contentWidth: number;
  readonly contentHeight: number;
}

/**
 * One decoded picture of a camera, as it goes along the path.
 *
 * Ownership: the buffer belongs to the camera's ring and is written again once every holder has released it.
 * The receiver of a frame holds it once; whoever passes it on beyond its own life calls `retain()`.
 */
export interface Frame {
  readonly cameraId: string;
  /** Counts up by one per frame that left ffmpeg, over restarts too; never used twice in one process. */
  readonly frameId: number;
  /** Wall clock as the frame left ffmpeg, ms since 1970 (for people and storage). */
  readonly capturedAtMs: number;
  /** Monotonic clock at the same moment, ms (for every duration and order). */
  readonly monotonicMs: number;
  readonly pixels: PixelBuffer;
  /** Size of the camera's own picture in pixels: the space in which all boxes are given. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  retain(): void;
  release(): void;
}

/** Pixels of the source frame per pixel of the analysed picture (≥ 1 when ffmpeg scaled down). */
export function sourceScale(
  frame: Pick<Frame, 'sourceWidth'> & { readonly pixels: Pick<PixelBuffer, 'contentWidth'> },
): number {
  return frame.sourceWidth / frame.pixels.contentWidth;
}
