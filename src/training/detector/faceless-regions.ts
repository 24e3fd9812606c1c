import { type Box, boxCentre } from '../../domain/box.js';
import type { Random } from '../../lib/random.js';

export interface FacelessRules {
  /** Regions drawn from one picture at the most. */
  readonly most: number;
  /** Sides of a region as a share of the picture's shorter side. */
  readonly sideShare: readonly [min: number, max: number];
  /** Room kept around every face, as a share of its longer side. */
  readonly clearance: number;
}

const TRIES = 60;

/** Parts of a picture that keep clear of every face in it, drawn at random; they do not overlap each other much. */
export function facelessRegions(
  picture: { readonly width: number; readonly height: number },
  faces: readonly Box[],
  rules: FacelessRules,
  random: Random,
): Box[] {
  const shorter = Math.min(picture.width, picture.height);
  const regions: Box[] = [];
  const blocked = faces.map((face) => grown(face, rules.clearance));
  for (let attempt = 0; attempt < TRIES && regions.length < rules.most; attempt++) {
    const width = Math.round(shorter * random.between(...rules.sideShare));
    const height = Math.round(Math.min(shorter, width * random.between(0.6, 1)));
    const region: Box = {
      x: Math.floor(random.between(0, picture.width - width + 1)),
      y: Math.floor(random.between(0, picture.height - height + 1)),
      width,
      height,
    };
    if (blocked.some((face) => overlaps(face, region))) continue;
    if (regions.some((other) => contains(other, boxCentre(region)) || contains(region, boxCentre(other))))
      continue;
    regions.push(region);
  }
  return regions;
}

function grown({ x, y, width, height }: Box, share: number): Box {
  const room = Math.max(width, height) * share;
  return { x: x - room, y: y - room, width: width + 2 * room, height: height + 2 * room };
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function contains(box: Box, point: { x: number; y: number }): boolean {
  return point.x >= box.x && point.x < box.x + box.width && point.y >= box.y && point.y < box.y + box.height;
}
