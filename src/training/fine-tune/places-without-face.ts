import { type Box, iou } from '../../domain/box.js';
import { type Random, seededRandom, shuffle } from '../../lib/random.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Sides of a drawn place, pixels, even on a logarithmic scale; never more than this share of the picture. */
const SIDE_PX = [12, 200] as const;
const MOST_OF_PICTURE = 0.45;
/** Height over width of a face box. */
const ASPECT = [1, 1.45] as const;
const TRIES = 40;
/** Room kept around everything that may be a face, as a share of its sides. */
const CLEARANCE = 0.25;
/** How far a place beside a face may reach into it. */
const MAX_OWN_IOU = 0.06;

/** Up to `most` boxes that keep clear of `faces`, drawn at random; the same `seed` gives the same boxes. */
export function placesWithoutFace(picture: Size, faces: readonly Box[], most: number, seed: string): Box[] {
  const random = seededRandom(`${seed}:background`);
  const blocked = faces.map(grown);
  const places: Box[] = [];
  const shorter = Math.min(picture.width, picture.height);
  for (let attempt = 0; attempt < TRIES && places.length < most; attempt++) {
    const [low, high] = [SIDE_PX[0], Math.min(SIDE_PX[1], shorter * MOST_OF_PICTURE)];
    if (high <= low) break;
    const width = low * (high / low) ** random.next();
    const height = width * random.between(...ASPECT);
    const place = {
      x: random.between(0, picture.width - width),
      y: random.between(0, Math.max(1, picture.height - height)),
      width,
      height,
    };
    if (![...blocked, ...places].some((other) => iou(other, place) > 0 || isInside(place, other)))
      places.push(place);
  }
  return places;
}

/**
 * Up to `most` boxes of a face's size right below, above or beside one of `labelled`: neck, chest, hair, shoulder.
 * They keep clear of all other `faces`.
 */
export function beside(
  labelled: readonly Box[],
  picture: Size,
  faces: readonly Box[],
  most: number,
  seed: string,
): Box[] {
  const random = seededRandom(`${seed}:beside`);
  const places: Box[] = [];
  for (const face of shuffle([...labelled], random)) {
    if (places.length >= most) break;
    const place = neighbour(face, random);
    const isWithin =
      place.x >= 0 &&
      place.y >= 0 &&
      place.x + place.width <= picture.width &&
      place.y + place.height <= picture.height;
    if (isWithin && !faces.some((other) => iou(other, place) > MAX_OWN_IOU)) places.push(place);
  }
  return places;
}

/** Below twice as often as above or at a side. */
function neighbour(face: Box, random: Random): Box {
  const [right, down] = [
    [0, 1],
    [0, 1],
    [0, -1],
    [1, 0],
    [-1, 0],
  ][random.index(5)] as [number, number];
  const scale = random.between(0.7, 1.2);
  const distance = random.between(0.95, 1.4);
  const width = face.width * scale;
  const height = face.height * scale;
  return {
    x: face.x + (face.width - width) / 2 + face.width * (right * distance + random.between(-0.2, 0.2)),
    y: face.y + (face.height - height) / 2 + face.height * (down * distance + random.between(-0.1, 0.1)),
    width,
    height,
  };
}

function grown({ x, y, width, height }: Box): Box {
  const [aside, above] = [width * CLEARANCE, height * CLEARANCE];
  return { x: x - aside, y: y - above, width: width + 2 * aside, height: height + 2 * above };
}

function isInside(box: Box, other: Box): boolean {
  return (
    box.x >= other.x &&
    box.y >= other.y &&
    box.x + box.width <= other.x + other.width &&
    box.y + box.height <= other.y + other.height
  );
}
