import { type Box, iou } from '../../domain/box.js';
import { seededRandom } from '../../lib/random.js';
import type { Correction } from '../dataset/corrections.js';
import type { ScenePicture } from '../dataset/picture.js';
import { isMostlyInside } from '../dataset/regions.js';
import { clearRegion, withRoom } from './clear-region.js';
import type { FacelessKind, FacelessPart, FacelessPlan } from './faceless-picture.js';

/** All that is known of where a scene shows faces and where it does not. */
export interface KnownScene {
  readonly scene: Pick<
    ScenePicture,
    'dataset' | 'width' | 'height' | 'faces' | 'unclassified' | 'ignored' | 'notFaces'
  >;
  /** Within the data set. */
  readonly file: string;
  readonly hash: string;
  readonly part: FacelessPart;
  /** Those of this picture. */
  readonly corrections: readonly Correction[];
  /** Whatever a careless detector takes for a face, pixels of the picture: backgrounds keep clear of it. */
  readonly seen: readonly Box[];
  /** Where somebody saw a face that nothing else tells. */
  readonly excluded: readonly Box[];
}

/** Room kept around a face, as a share of its longer side: labels and detections are narrower than heads. */
const FACE_ROOM = 0.2;
/** Around what may be a face: the box is the detector's own. */
const DOUBT_ROOM = 0.1;
/** Room around the place that a picture is about, so that it is not cut at its edge. */
const PLACE_ROOM = 0.1;
/** A detection that overlaps a confirmed non-face this far is that non-face. */
const SAME_PLACE_IOU = 0.3;
/** Backgrounds drawn of one scene at the most. */
const MOST_BACKGROUNDS = 2;

/**
 * Pictures without a face that can be cut out of a scene: one around every confirmed non-face that lies far enough from
 * every face, and a few of the background. Their regions may overlap each other. The same `seed` gives the same.
 *
 * Where a place was confirmed as no face, unconfirmed detections nearby do not matter: what looks like a face to a
 * detector would be kept out, and just that is to be counted. Eyes and the list of exclusions keep the faces out there.
 */
export function sceneCandidates(known: KnownScene, seed: string): FacelessPlan[] {
  const { scene, file, hash, part } = known;
  const source = { dataset: scene.dataset, file, hash };
  const places = confirmedPlaces(known);
  const plans: FacelessPlan[] = [];
  const add = (kind: FacelessKind, place: Box | null, name: string) => {
    const blocked = blockedBoxes(known, kind);
    const around = place && withinPicture(withRoom(place, PLACE_ROOM), scene);
    const region = clearRegion(scene, blocked, around, seededRandom(`${seed}:${hash}:${name}`));
    if (region) plans.push({ kind, part, source, region, ...(place ? { place } : {}) });
  };
  for (const { kind, box } of places) add(kind, box, `${box.x},${box.y},${box.width},${box.height}`);
  for (let index = 0; index < MOST_BACKGROUNDS; index++) add('background', null, `background ${index}`);
  return plans;
}

/** Where a face is, or may be, with room. */
function blockedBoxes({ scene, corrections, seen, excluded }: KnownScene, kind: FacelessKind): Box[] {
  const isSame = (box: Box, place: Box) => iou(box, place) >= SAME_PLACE_IOU || isMostlyInside(box, place);
  const statues = kind === 'statue' ? statuesIn(corrections) : [];
  const ignored = scene.ignored.filter((box) => !statues.some((statue) => isSame(box, statue)));
  const unconfirmed =
    kind === 'background' ? seen.filter((box) => !scene.notFaces.some((place) => isSame(box, place))) : [];
  return [
    ...[...scene.faces.map(({ box }) => box), ...scene.unclassified].map((box) => withRoom(box, FACE_ROOM)),
    ...[...ignored, ...unconfirmed].map((box) => withRoom(box, DOUBT_ROOM)),
    ...excluded,
  ];
}

function statuesIn(corrections: readonly Correction[]): Box[] {
  return corrections.flatMap(({ action, box, why }) =>
    action === 'ignore' && box && why?.startsWith('statue') ? [box] : [],
  );
}

function confirmedPlaces({ scene, corrections }: KnownScene): { kind: FacelessKind; box: Box }[] {
  return [
    ...statuesIn(corrections).map((box) => ({ kind: 'statue' as const, box })),
    ...scene.notFaces.map((box) => ({ kind: kindOf(box, corrections), box })),
  ];
}

/** By what people said of the place; many places have only been told not to be a face. */
function kindOf(place: Box, corrections: readonly Correction[]): FacelessKind {
  const why = corrections.find(
    ({ action, box }) => action === 'not_a_face' && box !== undefined && iou(box, place) > 0.9,
  )?.why;
  if (why?.startsWith('back of head')) return 'back_of_head';
  return why?.startsWith('hand') ? 'hand' : 'other_non_face';
}

function withinPicture(box: Box, picture: { readonly width: number; readonly height: number }): Box {
  const x = Math.max(0, box.x);
  const y = Math.max(0, box.y);
  return {
    x,
    y,
    width: Math.min(picture.width, box.x + box.width) - x,
    height: Math.min(picture.height, box.y + box.height) - y,
  };
}
