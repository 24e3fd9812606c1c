import type { DetectResult, DetectTask, TaskFailure, TaskTimings } from '../../workers/protocol.js';
import { type Point, scaleBox } from '../domain/box.js';
import type { FaceDetection, Landmarks } from '../domain/face.js';
import { type Frame, type PixelBuffer, sourceScale } from '../domain/frame.js';
import type { PictureStatistics } from '../domain/picture.js';
import type { ErrorShape } from '../lib/errors.js';

/** What the detector needs of the inference pool. */
export interface DetectionPort {
  detect(
    pixels: PixelBuffer,
    scoreThreshold: number,
    options?: Pick<DetectTask, 'wantsStatistics'>,
  ): Promise<DetectResult | TaskFailure>;
}

export type DetectionOutcome =
  | {
      readonly ok: true;
      readonly faces: readonly FaceDetection[];
      readonly statistics?: PictureStatistics | undefined;
      readonly timings: TaskTimings;
    }
  | { readonly ok: false; readonly error: ErrorShape };

/** Finds the faces of frames and tells them in pixels of the source frame. */
export class FaceDetector {
  readonly #port: DetectionPort;
  readonly #scoreThreshold: number;
  readonly #wantsStatistics: boolean;

  /** `scoreThreshold` in [0, 1]: faces at or above it are told. `wantsStatistics`: those of the picture too. Default false. */
  constructor(
    port: DetectionPort,
    options: { scoreThreshold: number; wantsStatistics?: boolean | undefined },
  ) {
    this.#port = port;
    this.#scoreThreshold = options.scoreThreshold;
    this.#wantsStatistics = options.wantsStatistics ?? false;
  }

  /**
   * Faces of `frame`, best first, boxes and landmarks in pixels of the source frame (they may reach beyond it).
   * The caller holds the frame until the promise settles. A failure is a value; never rejects for one.
   */
  async detect(frame: Frame): Promise<DetectionOutcome> {
    const result = await this.#port.detect(
      frame.pixels,
      this.#scoreThreshold,
      this.#wantsStatistics ? { wantsStatistics: true } : {},
    );
    if (!result.ok) return result;
    const factor = sourceScale(frame);
    const { statistics, timings } = result;
    return { ok: true, faces: result.faces.map((face) => scaleFace(face, factor)), statistics, timings };
  }
}

/** The same face in another space: pixels of it per pixel of the present one. */
export function scaleFace(face: FaceDetection, factor: number): FaceDetection {
  const scale = (point: Point): Point => ({ x: point.x * factor, y: point.y * factor });
  const [a, b, c, d, e] = face.landmarks;
  const landmarks: Landmarks = [scale(a), scale(b), scale(c), scale(d), scale(e)];
  return { ...face, box: scaleBox(face.box, factor), landmarks };
}
