import type { DecodedFace } from '../../detection/yunet-decode.js';
import type { Box } from '../../domain/box.js';
import { seededRandom } from '../../lib/random.js';
import type { CorrectionsReport } from '../dataset/correct-pictures.js';
import type { ScenePicture } from '../dataset/picture.js';
import { blankPicture, type RgbPicture, readRgbPicture } from '../dataset/rgb-picture.js';
import type { SplitPart } from '../dataset/split.js';
import { CachedDetections } from './cached-detections.js';
import { type DetectedScene, type DetectionFigures, detectionFigures } from './detection-figures.js';
import type { DetectorSession } from './detector-session.js';
import { facelessRegions } from './faceless-regions.js';
import { loadPictures } from './load-pictures.js';

/** A detector and a name that changes with its weights. */
export interface DetectorSource {
  readonly id: string;
  readonly open: () => Promise<DetectorSession>;
}

export interface MeasureOptions {
  readonly dataDirs: readonly string[];
  readonly splitFile: string;
  readonly part: SplitPart;
  readonly corrections?: string | false | undefined;
  readonly detector: DetectorSource;
  /** Gives the landmarks and boxes to compare with, at twice the size. */
  readonly reference: DetectorSource;
  /** Side of the square to which pictures are brought, pixels, a multiple of 32. */
  readonly sizePx: number;
  readonly thresholds: readonly number[];
  readonly cacheDir: string;
}

/** Boxes on parts of pictures that hold no face. */
export interface FalseBoxes {
  readonly scoreThreshold: number;
  readonly regions: number;
  readonly boxes: number;
  readonly per100: number;
}

/** The reference's faces: from here on it is trusted. */
const REFERENCE_SCORE = 0.5;
/** Nothing that the reference takes for a face with this score or more, at any size, is called faceless. */
const FACELESS_SCORE = 0.05;
const FACELESS = { most: 3, sideShare: [0.25, 0.6], clearance: 0.3 } as const;
const REFERENCE_FACTOR = 2;

/** Measures a detector on the scenes of one part of the split. */
export async function measureDetector(options: MeasureOptions): Promise<{
  readonly pictures: number;
  readonly corrections: CorrectionsReport;
  readonly figures: readonly DetectionFigures[];
  readonly falseBoxes: readonly FalseBoxes[];
}> {
  const { detector, reference, sizePx, thresholds, cacheDir } = options;
  const { pictures, corrections } = await loadPictures(options);
  const own = await CachedDetections.open(cacheDir, detector.id, sizePx, detector.open);
  const same = await CachedDetections.open(cacheDir, reference.id, 640, reference.open);
  const large = await CachedDetections.open(cacheDir, reference.id, 640 * REFERENCE_FACTOR, reference.open);
  const faceless = await CachedDetections.open(cacheDir, `${detector.id}-faceless`, sizePx, detector.open);
  const scenes: DetectedScene[] = [];
  const onNothing: DecodedFace[][] = [];
  try {
    for (const { picture, hash, part } of pictures) {
      if (part !== options.part || picture.kind !== 'scene') continue;
      const read = () => readRgbPicture(picture.path);
      const enlarged = await large.take(hash, read);
      scenes.push({
        scene: picture,
        faces: await own.take(hash, read),
        reference: enlarged.filter(({ score }) => score >= REFERENCE_SCORE),
      });
      const known = knownFaces(picture, [...enlarged, ...(await same.take(hash, read))]);
      for (const region of facelessRegions(picture, known, FACELESS, seededRandom(hash)))
        onNothing.push(
          await faceless.take(`${hash}:${Object.values(region).join()}`, async () =>
            cutRegion(await read(), region),
          ),
        );
    }
  } finally {
    for (const cache of [own, same, large, faceless]) await cache.close();
  }
  return {
    pictures: scenes.length,
    corrections,
    figures: thresholds.map((threshold) => detectionFigures(scenes, threshold)),
    falseBoxes: thresholds.map((scoreThreshold) => {
      const boxes = onNothing.flat().filter(({ score }) => score >= scoreThreshold).length;
      return {
        scoreThreshold,
        regions: onNothing.length,
        boxes,
        per100: (100 * boxes) / Math.max(1, onNothing.length),
      };
    }),
  };
}

/** Everything in a scene that is or may be a face. */
function knownFaces(scene: ScenePicture, detected: readonly DecodedFace[]): Box[] {
  return [
    ...scene.faces.map(({ box }) => box),
    ...scene.unclassified,
    ...scene.ignored,
    ...detected
      .filter(
        ({ score, box }) => score >= FACELESS_SCORE && !scene.notFaces.some((place) => isAt(place, box)),
      )
      .map(({ box }) => box),
  ];
}

function isAt(place: Box, box: Box): boolean {
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  return (
    centre.x > place.x &&
    centre.x < place.x + place.width &&
    centre.y > place.y &&
    centre.y < place.y + place.height
  );
}

/** A part of a picture, whole pixels, as a picture of its own. */
export function cutRegion(picture: RgbPicture, { x, y, width, height }: Box): RgbPicture {
  const region = blankPicture(width, height);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * picture.width + x) * 3;
    region.data.set(picture.data.subarray(from, from + width * 3), row * width * 3);
  }
  return region;
}
