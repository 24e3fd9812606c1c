import { seededRandom } from '../../lib/random.js';
import type { FacelessPart, FacelessPlan, FacelessSource } from './faceless-picture.js';

/** A portrait with a mask that can be cut out. */
export interface MaskPortrait {
  readonly source: FacelessSource;
  readonly part: FacelessPart;
  /** Of the mask cut out, pixels. */
  readonly width: number;
  readonly height: number;
}

/** Width of a mask as it lies in the picture, pixels: that of faces on cameras, and somewhat closer. */
const WIDTH_PX = [36, 130] as const;
const MOST_TURN_DEGREES = 40;
/** Sides of a mask, as a share of those of the picture: turned, it still fits. */
const MOST_OF_PICTURE = 0.45;

/**
 * Masks laid on backgrounds, one portrait and one background each, both of one part; the n-th portrait goes with the
 * n-th background of its part. A mask lies wholly inside its picture.
 */
export function maskPlans(
  portraits: readonly MaskPortrait[],
  backgrounds: readonly FacelessPlan[],
  seed: string,
): FacelessPlan[] {
  const waiting = new Map<FacelessPart, FacelessPlan[]>();
  for (const plan of backgrounds) waiting.set(plan.part, [...(waiting.get(plan.part) ?? []), plan]);
  return portraits.flatMap(({ source, part, width, height }): FacelessPlan[] => {
    const background = waiting.get(part)?.shift();
    if (!background) return [];
    const random = seededRandom(`${seed}:${source.hash}:${background.source.hash}`);
    const { region } = background;
    const share = MOST_OF_PICTURE * Math.min(region.width / width, region.height / height);
    const scale = Math.min(share, random.between(...WIDTH_PX) / width);
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    // A turned mask reaches further out: half its diagonal from its middle.
    const reach = Math.ceil(Math.hypot(wide, high) / 2);
    const middle = (length: number) => random.between(reach, Math.max(reach, length - reach));
    const box = {
      x: Math.round(middle(region.width) - wide / 2),
      y: Math.round(middle(region.height) - high / 2),
      ...{ width: wide, height: high },
    };
    const turnDegrees = Math.round(random.between(-MOST_TURN_DEGREES, MOST_TURN_DEGREES));
    return [{ ...background, kind: 'mask_alone', overlay: { source, box, turnDegrees } }];
  });
}
