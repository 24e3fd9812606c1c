import { InferenceSession, Tensor } from 'onnxruntime-node';
import { letterbox } from '../../detection/letterbox.js';
import { type DecodedFace, decodeYunet, type YunetLevel } from '../../detection/yunet-decode.js';
import { scaleBox } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import type { RgbPicture } from '../dataset/rgb-picture.js';
import type { Network } from '../export/network.js';
import { writeOnnx } from '../export/onnx-writer.js';

/** Strides of YuNet's three heads, pixels. */
export const STRIDES = [8, 16, 32] as const;
export type Stride = (typeof STRIDES)[number];
/** Numbers per cell of each kind of output. */
export const OUTPUT_CHANNELS = { cls: 1, obj: 1, bbox: 4, kps: 10 } as const;
export type OutputKind = keyof typeof OUTPUT_CHANNELS;

/** Outputs of a batch by name (`cls_8` … `kps_32`), picture after picture, row by row, cell by cell. */
export type DetectorOutputs = Readonly<Record<string, Float32Array>>;

/** A network of YuNet's form in ONNX Runtime, at any size that is a multiple of 32. */
export class DetectorSession {
  readonly #session: InferenceSession;
  #input = new Uint8Array();

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** `model`: a network, or the path of its ONNX form. One thread unless told otherwise. */
  static async open(model: Network | string, threads = 1): Promise<DetectorSession> {
    const options: InferenceSession.SessionOptions = {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      extra: { session: { intra_op: { allow_spinning: '0' }, set_denormal_as_zero: '1' } },
    };
    const session =
      typeof model === 'string'
        ? await InferenceSession.create(model, options)
        : await InferenceSession.create(writeOnnx(model), options);
    return new DetectorSession(session);
  }

  /** `pixels`: batch × height × width × 3, rgb24; only read. */
  async run(pixels: Uint8Array, batch: number, height: number, width: number): Promise<DetectorOutputs> {
    const results = await this.#session.run({
      pixels: new Tensor('uint8', pixels, [batch, height, width, 3]),
    });
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
    );
  }

  /**
   * Faces of a picture brought to a square of `sizePx` as the product does it, in pixels of the picture, best
   * first.
   */
  async find(picture: RgbPicture, sizePx: number, scoreThreshold: number): Promise<DecodedFace[]> {
    const length = sizePx * sizePx * 3;
    if (this.#input.length !== length) this.#input = new Uint8Array(length);
    const { scale } = letterbox(picture, this.#input, sizePx, sizePx);
    const outputs = await this.run(this.#input, 1, sizePx, sizePx);
    return decodeOutputs(outputs, { width: sizePx, height: sizePx, scoreThreshold }).map((face) =>
      scaleDecoded(face, 1 / scale),
    );
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** Faces of picture number `index` of a batch, in pixels of the input. */
export function decodeOutputs(
  outputs: DetectorOutputs,
  input: { readonly width: number; readonly height: number; readonly scoreThreshold: number },
  index = 0,
): DecodedFace[] {
  const levels = STRIDES.map((stride): YunetLevel => {
    const cells = Math.floor(input.width / stride) * Math.floor(input.height / stride);
    const part = (kind: OutputKind) => {
      const length = cells * OUTPUT_CHANNELS[kind];
      return outputs[`${kind}_${stride}`]!.subarray(index * length, (index + 1) * length);
    };
    return { stride, cls: part('cls'), obj: part('obj'), bbox: part('bbox'), kps: part('kps') };
  });
  return decodeYunet(levels, {
    inputWidth: input.width,
    inputHeight: input.height,
    scoreThreshold: input.scoreThreshold,
  });
}

/** The same face in another space: pixels of it per pixel of the present one. */
export function scaleDecoded(face: DecodedFace, factor: number): DecodedFace {
  const [a, b, c, d, e] = face.landmarks.map(({ x, y }) => ({ x: x * factor, y: y * factor }));
  const landmarks: Landmarks = [a!, b!, c!, d!, e!];
  return { box: scaleBox(face.box, factor), score: face.score, landmarks };
}
