import { iou } from '../../domain/box.js';
import { seededRandom } from '../../lib/random.js';
import type { FacelessKind, FacelessPlan } from './faceless-picture.js';

/** Pictures wanted of a kind; what is lacking of one goes to `background`. */
export type Quotas = Readonly<Partial<Record<FacelessKind, number>>>;

/** Pictures of one source at the most. */
const MOST_OF_SOURCE = 3;
/** Two pictures of one source that overlap further would be counted twice. */
const MOST_OVERLAP_IOU = 0.35;

/**
 * Chooses `count` of the candidates, drawn at random: first the quota of each kind in the order given, then background
 * until the set is full. Pictures of one source are few and differ. Fewer come back when there are no more. The order of
 * the candidates does not matter, and leaving some out changes little else: each is drawn by its own name.
 */
export function choosePictures(
  candidates: readonly FacelessPlan[],
  quotas: Quotas,
  count: number,
  seed: string,
): FacelessPlan[] {
  const ordered = candidates
    .map((plan) => ({ plan, draw: seededRandom(`${seed}:${nameOf(plan)}`).next() }))
    .sort((a, b) => a.draw - b.draw || (nameOf(a.plan) < nameOf(b.plan) ? -1 : 1))
    .map(({ plan }) => plan);
  const chosen: FacelessPlan[] = [];
  const take = (kind: FacelessKind, most: number) => {
    let taken = 0;
    for (const plan of ordered) {
      if (taken >= most || chosen.length >= count) return;
      if (plan.kind !== kind || chosen.includes(plan) || !fits(plan, chosen)) continue;
      chosen.push(plan);
      taken += 1;
    }
  };
  for (const [kind, most] of Object.entries(quotas) as [FacelessKind, number][]) take(kind, most);
  take('background', count);
  return chosen;
}

function fits(plan: FacelessPlan, chosen: readonly FacelessPlan[]): boolean {
  // Frames of a clip are chosen by hand.
  if (plan.part === 'clips') return true;
  const ofSource = chosen.filter(({ source }) => source.hash === plan.source.hash);
  return (
    ofSource.length < MOST_OF_SOURCE &&
    ofSource.every(({ region }) => iou(region, plan.region) <= MOST_OVERLAP_IOU)
  );
}

function nameOf({ kind, source, region }: FacelessPlan): string {
  const { x, y, width, height } = region;
  return `${kind}:${source.hash}:${source.atMs ?? ''}:${x},${y},${width},${height}`;
}
