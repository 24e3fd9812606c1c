import type { DecodedFace } from '../../detection/yunet-decode.js';
import type { Landmarks } from '../../domain/face.js';
import { blankPicture, type RgbPicture, readRgbPicture } from '../dataset/rgb-picture.js';
import { CachedDetections } from './cached-detections.js';
import { type PictureTargets, sceneTargets } from './face-targets.js';
import type { PartedPicture } from './load-pictures.js';
import type { DetectorSource } from './measure-detector.js';
import type { TeachingPicture } from './training-canvas.js';

/** Sides at which the teacher looks at scenes: as the product does, and at twice that for its landmarks. */
const SCENE_SIZES_PX = [640, 1280] as const;
/** …and at pictures of one person, which get room around them first. */
const PORTRAIT_SIZE_PX = 320;
const PORTRAIT_ROOM = 0.4;
/** The face of a picture of one person: at least this score and this share of the picture. */
const PORTRAIT_SCORE = 0.3;
const PORTRAIT_SHARE = 0.06;

/** Pictures to learn from; decoded when asked for, and kept. */
export class TeachingPictures {
  readonly count: number;
  readonly #pictures: readonly { readonly path: string; readonly targets: PictureTargets }[];
  readonly #decoded = new Map<number, RgbPicture>();
  #spareBytes: number;

  constructor(
    pictures: readonly { readonly path: string; readonly targets: PictureTargets }[],
    keptBytes: number,
  ) {
    this.#pictures = pictures;
    this.count = pictures.length;
    this.#spareBytes = keptBytes;
  }

  targets(index: number): PictureTargets {
    return this.#pictures[index]!.targets;
  }

  async take(index: number): Promise<TeachingPicture> {
    const { path, targets } = this.#pictures[index]!;
    const kept = this.#decoded.get(index);
    if (kept) return { picture: kept, targets };
    const picture = await readRgbPicture(path);
    if (this.#spareBytes >= picture.data.length) {
      this.#spareBytes -= picture.data.length;
      this.#decoded.set(index, picture);
    }
    return { picture, targets };
  }
}

/** Lets the teacher look at pictures (cached) and says what each of them teaches. */
export async function teach(
  pictures: readonly PartedPicture[],
  teacher: DetectorSource,
  cacheDir: string,
  onProgress?: (done: number) => void,
): Promise<{
  readonly scenes: readonly { path: string; targets: PictureTargets }[];
  readonly portraits: readonly { path: string; targets: PictureTargets }[];
}> {
  const caches = await Promise.all(
    SCENE_SIZES_PX.map((sizePx) => CachedDetections.open(cacheDir, teacher.id, sizePx, teacher.open)),
  );
  const portraitCache = await CachedDetections.open(
    cacheDir,
    `${teacher.id}-portraits`,
    PORTRAIT_SIZE_PX,
    teacher.open,
  );
  const scenes: { path: string; targets: PictureTargets }[] = [];
  const portraits: { path: string; targets: PictureTargets }[] = [];
  try {
    for (const [index, { picture, hash }] of pictures.entries()) {
      const read = () => readRgbPicture(picture.path);
      if (picture.kind === 'scene') {
        const found: DecodedFace[] = [];
        for (const cache of caches) found.push(...(await cache.take(hash, read)));
        scenes.push({ path: picture.path, targets: sceneTargets(picture, found) });
      } else {
        const found = await portraitCache.take(hash, async () => withRoom(await read()));
        const { width, height } = await sizeOf(picture.path);
        const room = roomPx(width, height);
        const targets = portraitTargets(
          found.map((face) => shifted(face, -room)),
          picture.label,
          width * height,
        );
        if (targets) portraits.push({ path: picture.path, targets });
      }
      onProgress?.(index + 1);
    }
  } finally {
    for (const cache of [...caches, portraitCache]) await cache.close();
  }
  return { scenes, portraits };
}

/** `null` when the teacher does not see the face: then nobody knows its box. */
function portraitTargets(
  found: readonly DecodedFace[],
  label: NonNullable<PictureTargets['faces'][number]['label']>,
  areaPx: number,
): PictureTargets | null {
  const best = found.find(
    ({ score, box }) => score >= PORTRAIT_SCORE && box.width * box.height >= PORTRAIT_SHARE * areaPx,
  );
  if (!best) return null;
  return sceneTargets(
    { faces: [{ box: best.box, label }], unclassified: [], ignored: [], notFaces: [] },
    found,
  );
}

function roomPx(width: number, height: number): number {
  return Math.round(Math.max(width, height) * PORTRAIT_ROOM);
}

/** The picture in the middle of a grey one: a detector does not find a face that fills everything. */
function withRoom(picture: RgbPicture): RgbPicture {
  const room = roomPx(picture.width, picture.height);
  const roomy = blankPicture(picture.width + 2 * room, picture.height + 2 * room);
  roomy.data.fill(128);
  for (let row = 0; row < picture.height; row++)
    roomy.data.set(
      picture.data.subarray(row * picture.width * 3, (row + 1) * picture.width * 3),
      ((row + room) * roomy.width + room) * 3,
    );
  return roomy;
}

async function sizeOf(path: string): Promise<{ width: number; height: number }> {
  const { default: sharp } = await import('sharp');
  return sharp(path).metadata();
}

function shifted(face: DecodedFace, px: number): DecodedFace {
  const [a, b, c, d, e] = face.landmarks.map(({ x, y }) => ({ x: x + px, y: y + px }));
  const landmarks: Landmarks = [a!, b!, c!, d!, e!];
  return { score: face.score, box: { ...face.box, x: face.box.x + px, y: face.box.y + px }, landmarks };
}
