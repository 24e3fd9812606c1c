import { choosePictures, type Quotas } from '../../src/training/faceless/choose-pictures.js';
import { clipPlans } from '../../src/training/faceless/clip-pictures.js';
import { readExcludeList } from '../../src/training/faceless/exclude-list.js';
import type { FacelessPlan } from '../../src/training/faceless/faceless-picture.js';
import type { ManifestLine } from '../../src/training/faceless/manifest.js';
import { maskPlans } from '../../src/training/faceless/mask-plans.js';
import { sceneCandidates } from '../../src/training/faceless/scene-candidates.js';
import { withoutPlain } from './plain.js';
import type { FacelessSources } from './sources.js';

const SEED = 'maskwatch-faceless-1';
/** Hard ones first; the rest is background. */
const QUOTAS: Quotas = {
  ...{ statue: 20, mask_on_bench: 40, person_from_behind: 60 },
  ...{ back_of_head: 100, hand: 60, other_non_face: 120 },
};
/** Masks cut out of portraits and laid on backgrounds, as a share of the set. */
const MASKS_SHARE = 0.08;

/** Draws the set anew, `count` pictures of what the sources give. `excludeList`: path. */
export async function drawPictures(
  sources: FacelessSources,
  excludeList: string,
  count: number,
): Promise<ManifestLine[]> {
  const excluded = await readExcludeList(excludeList);
  const candidates = await withoutPlain(
    sources.scenes.flatMap((scene) =>
      sceneCandidates({ ...scene, excluded: excluded.get(scene.hash) ?? [] }, SEED),
    ),
    ({ hash }) => sources.paths.get(hash)!,
  );
  candidates.push(...clipPlans((file) => sources.clips.get(file)!));
  const masks = Math.round(count * MASKS_SHARE);
  const plain = choosePictures(candidates, QUOTAS, count - masks, SEED);
  const taken = new Set(plain.map(({ source }) => source.hash));
  const free = candidates.filter(({ kind, source }) => kind === 'background' && !taken.has(source.hash));
  const backgrounds = choosePictures(free, {}, 2 * masks, `${SEED} masks`);
  const plans = [...plain, ...maskPlans(await sources.maskPortraits(masks), backgrounds, SEED)];
  return plans.map((plan, index) => ({ file: fileOf(plan, index + 1), ...plan }));
}

function fileOf({ kind }: FacelessPlan, number: number): string {
  return `pictures/${String(number).padStart(3, '0')}-${kind}.jpg`;
}
