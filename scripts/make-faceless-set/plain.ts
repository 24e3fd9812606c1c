import { type RgbPicture, readRgbPicture } from '../../src/training/dataset/rgb-picture.js';
import type { FacelessPlan, FacelessSource } from '../../src/training/faceless/faceless-picture.js';

/** Mean difference of neighbouring pixels below which a background is a bare wall, a sky or a margin, 0…255. */
const LEAST_DETAIL = 2.5;

/** The candidates less plain backgrounds, on which nothing would ever be found: they would only dilute the figure. */
export async function withoutPlain(
  candidates: readonly FacelessPlan[],
  pathOf: (source: FacelessSource) => string,
): Promise<FacelessPlan[]> {
  const kept: FacelessPlan[] = [];
  let lastPath = '';
  let picture: RgbPicture | null = null;
  for (const plan of candidates) {
    if (plan.kind === 'background') {
      const path = pathOf(plan.source);
      if (picture === null || path !== lastPath) picture = await readRgbPicture(path);
      lastPath = path;
      if (detailOf(picture, plan) < LEAST_DETAIL) continue;
    }
    kept.push(plan);
  }
  return kept;
}

function detailOf({ data, width }: RgbPicture, { region }: FacelessPlan): number {
  let sum = 0;
  for (let y = region.y; y < region.y + region.height; y++)
    for (let x = region.x; x < region.x + region.width - 1; x++) {
      const at = (y * width + x) * 3 + 1;
      sum += Math.abs(data[at + 3]! - data[at]!);
    }
  return sum / (region.height * (region.width - 1));
}
