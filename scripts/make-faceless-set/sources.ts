import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../../src/lib/errors.js';
import { modelsDir } from '../../src/lib/package-paths.js';
import { seededRandom, shuffle } from '../../src/lib/random.js';
import { correctPictures } from '../../src/training/dataset/correct-pictures.js';
import type { Correction } from '../../src/training/dataset/corrections.js';
import { discoverPictures } from '../../src/training/dataset/discover.js';
import {
  contentHashOf,
  type Fingerprint,
  fingerprintPicture,
  hammingDistance,
} from '../../src/training/dataset/fingerprint.js';
import {
  fileInDataset,
  type LabelledPicture,
  type ScenePicture,
} from '../../src/training/dataset/picture.js';
import { readRgbPicture } from '../../src/training/dataset/rgb-picture.js';
import { shippedSplit } from '../../src/training/dataset/shipped-split.js';
import { heldOutHashes, readSplitFile } from '../../src/training/dataset/split-file.js';
import { CachedDetections } from '../../src/training/detector/cached-detections.js';
import { DetectorSession } from '../../src/training/detector/detector-session.js';
import { cutMask } from '../../src/training/faceless/cut-mask.js';
import type { FacelessPart, FacelessSource } from '../../src/training/faceless/faceless-picture.js';
import type { MaskPortrait } from '../../src/training/faceless/mask-plans.js';
import type { KnownScene } from '../../src/training/faceless/scene-candidates.js';

/**
 * The published detector, so careless that hardly a face escapes it. Below this score nearly all of what it finds at
 * 1280 px is noise, and a background without noise would be an easy one.
 */
const CARELESS = { model: 'yunet-n', sizesPx: [640, 1280], score: 0.25 };
const CLIPS = 'clips';
const PORTRAITS_WITH_DRAWN_MASKS = 'crops-synthetic';

export interface FacelessSources {
  readonly scenes: readonly Omit<KnownScene, 'excluded'>[];
  /** By file name. */
  readonly clips: ReadonlyMap<string, FacelessSource>;
  /** Up to `most` portraits with a mask that can be cut out, always the same. */
  maskPortraits(most: number): Promise<MaskPortrait[]>;
  /** Absolute path by hash. */
  readonly paths: ReadonlyMap<string, string>;
}

interface HeldOut<P extends LabelledPicture> {
  readonly picture: P;
  readonly hash: string;
  readonly part: FacelessPart;
}

/**
 * All held-out scenes with what labels, corrections and a careless detector say of them; portraits and clips. Detections
 * are kept in `cacheDir`. Rejects as the readers do.
 */
export async function readSources(options: {
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly clips: readonly string[];
}): Promise<FacelessSources> {
  const { dataDir, cacheDir } = options;
  const { pictures, corrections } = await correctPictures(await discoverPictures(dataDir), undefined);
  const heldOut = await heldOutPictures(pictures);
  const isScene = (item: HeldOut<LabelledPicture>): item is HeldOut<ScenePicture> =>
    item.picture.kind === 'scene';
  const paths = new Map(heldOut.map(({ picture, hash }) => [hash, picture.path]));
  const clips = new Map<string, FacelessSource>();
  for (const file of options.clips) {
    const path = join(dataDir, CLIPS, file);
    const hash = await contentHashOf(path);
    clips.set(file, { dataset: CLIPS, file, hash });
    paths.set(hash, path);
  }
  return {
    scenes: await knownScenes(await withoutTwins(heldOut.filter(isScene)), corrections, cacheDir),
    clips,
    maskPortraits: (most) => portraitsWithMask(heldOut, most),
    paths,
  };
}

/**
 * Where the files of known sources lie below a data folder, by hash. Throws `AppError` DATA_NOT_FOUND when one is missing
 * or is another file than the one that was looked at.
 */
export async function findSources(
  dataDir: string,
  sources: readonly FacelessSource[],
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const { dataset, file, hash } of sources) {
    if (paths.has(hash)) continue;
    // A data set goes by its two last folders, the first of which may be the data folder itself.
    const candidates = [join(dataDir, dataset, file), join(dataDir, basename(dataset), file)];
    for (const path of candidates)
      if ((await contentHashOf(path).catch(() => null)) === hash) paths.set(hash, path);
    if (!paths.has(hash))
      throw new AppError('DATA_NOT_FOUND', `${dataDir} holds no ${dataset}/${file} with the hash ${hash}`, {
        ...{ path: dataDir, exitCode: 2 },
      });
  }
  return paths;
}

async function heldOutPictures(pictures: readonly LabelledPicture[]): Promise<HeldOut<LabelledPicture>[]> {
  const parts = heldOutHashes(await readSplitFile(shippedSplit()));
  const heldOut: HeldOut<LabelledPicture>[] = [];
  for (const picture of pictures) {
    const hash = await contentHashOf(picture.path);
    const part = parts.get(hash);
    if (part === 'validation' || part === 'test') heldOut.push({ picture, hash, part });
  }
  return heldOut;
}

/** The same photograph lies in several data sets: the first by hash stands for all. */
async function withoutTwins(scenes: readonly HeldOut<ScenePicture>[]): Promise<HeldOut<ScenePicture>[]> {
  const maxDistance = (await readSplitFile(shippedSplit())).rules.twinMaxDistance;
  const kept: { item: HeldOut<ScenePicture>; print: Fingerprint }[] = [];
  for (const item of [...scenes].sort((a, b) => (a.hash < b.hash ? -1 : 1))) {
    const print = await fingerprintPicture(item.picture.path);
    const isTwin = ({ print: other }: { print: Fingerprint }) =>
      [print.perceptual, print.perceptualMirrored].some(
        (bits) => hammingDistance(bits, other.perceptual) <= maxDistance,
      );
    if (!kept.some(isTwin)) kept.push({ item, print });
  }
  return kept.map(({ item }) => item);
}

async function knownScenes(
  scenes: readonly HeldOut<ScenePicture>[],
  corrections: readonly Correction[],
  cacheDir: string,
): Promise<Omit<KnownScene, 'excluded'>[]> {
  const path = join(modelsDir(), CARELESS.model, 'model.onnx');
  const id = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 16);
  const session = await DetectorSession.open(path);
  const detectors = await Promise.all(
    CARELESS.sizesPx.map((sizePx) => CachedDetections.open(cacheDir, id, sizePx, async () => session)),
  );
  const known: Omit<KnownScene, 'excluded'>[] = [];
  for (const { picture, hash, part } of scenes) {
    const found = [];
    for (const detector of detectors)
      found.push(...(await detector.take(`scene:${hash}`, () => readRgbPicture(picture.path))));
    known.push({
      ...{ scene: picture, file: fileInDataset(picture), hash, part },
      corrections: corrections.filter((correction) => correction.hash === hash),
      seen: found.filter(({ score }) => score >= CARELESS.score).map(({ box }) => box),
    });
  }
  await Promise.all(detectors.map((detector) => detector.close()));
  await session.close();
  return known;
}

async function portraitsWithMask(
  heldOut: readonly HeldOut<LabelledPicture>[],
  most: number,
): Promise<MaskPortrait[]> {
  const portraits = heldOut
    .filter(({ picture }) => picture.kind === 'portrait' && picture.label === 'with_mask')
    .filter(({ picture }) => picture.dataset.split('/').at(-1) === PORTRAITS_WITH_DRAWN_MASKS)
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const found: MaskPortrait[] = [];
  for (const { picture, hash, part } of shuffle(portraits, seededRandom('portraits'))) {
    if (found.length === most) break;
    const mask = await cutMask(await readRgbPicture(picture.path));
    if (!mask) continue;
    const source = { dataset: picture.dataset, file: fileInDataset(picture), hash };
    found.push({ source, part, width: mask.width, height: mask.height });
  }
  return found;
}
