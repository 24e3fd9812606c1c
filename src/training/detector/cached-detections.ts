import type { DecodedFace } from '../../detection/yunet-decode.js';
import { scaleBox } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import { JsonlCache } from '../dataset/jsonl-cache.js';
import type { RgbPicture } from '../dataset/rgb-picture.js';
import type { DetectorSession } from './detector-session.js';

/** Lowest score that is kept: thresholds are chosen above it. */
export const KEPT_SCORE = 0.05;

/** Score, box, landmarks; hundredths of a pixel. */
type Row = readonly number[];

/** What a detector finds in pictures at one size, kept in a file between runs. */
export class CachedDetections {
  readonly #cache: JsonlCache<Row[]>;
  readonly #session: () => Promise<DetectorSession>;
  readonly #sizePx: number;

  private constructor(cache: JsonlCache<Row[]>, session: () => Promise<DetectorSession>, sizePx: number) {
    this.#cache = cache;
    this.#session = session;
    this.#sizePx = sizePx;
  }

  /** `modelId` must change with the weights. `session` is asked for when something is not there yet. */
  static async open(
    cacheDir: string,
    modelId: string,
    sizePx: number,
    session: () => Promise<DetectorSession>,
  ): Promise<CachedDetections> {
    const cache = await JsonlCache.open<Row[]>(cacheDir, `detections-${modelId}-${sizePx}`);
    return new CachedDetections(cache, session, sizePx);
  }

  /** Faces at {@link KEPT_SCORE} and above, best first, in pixels of the picture that `key` names. */
  async take(key: string, read: () => Promise<RgbPicture>): Promise<DecodedFace[]> {
    const rows = await this.#cache.take(key, async () => {
      const session = await this.#session();
      return (await session.find(await read(), this.#sizePx, KEPT_SCORE)).map(toRow);
    });
    return rows.map(fromRow);
  }

  close(): Promise<void> {
    return this.#cache.close();
  }
}

function toRow({ box, score, landmarks }: DecodedFace): Row {
  const { x, y, width, height } = box;
  return [
    score * 1e4,
    ...[x, y, width, height, ...landmarks.flatMap((p) => [p.x, p.y])].map((v) => v * 100),
  ].map(Math.round);
}

function fromRow([score = 0, x = 0, y = 0, width = 0, height = 0, ...points]: Row): DecodedFace {
  const point = (index: number) => ({ x: points[2 * index]! / 100, y: points[2 * index + 1]! / 100 });
  const landmarks: Landmarks = [point(0), point(1), point(2), point(3), point(4)];
  return { score: score / 1e4, box: scaleBox({ x, y, width, height }, 1 / 100), landmarks };
}
