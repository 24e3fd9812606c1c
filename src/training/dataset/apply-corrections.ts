import { type Box, clipBox, iou } from '../../domain/box.js';
import {
  CORRECTION_ACTIONS,
  type Correction,
  type CorrectionAction,
  isSameBox,
  SAME_THING_IOU,
} from './corrections.js';
import {
  fileInDataset,
  type LabelledFace,
  type LabelledPicture,
  type PortraitPicture,
  type ScenePicture,
} from './picture.js';
import { isMostlyInside } from './regions.js';

/** A correction that changed nothing, and why. */
export interface UnfitCorrection {
  /** `FILE:LINE`. */
  readonly source: string;
  readonly dataset: string;
  readonly file: string;
  readonly problem: string;
}

export interface CorrectedPictures {
  /** In the order given, less the pictures of one person that were removed. */
  readonly pictures: readonly LabelledPicture[];
  readonly applied: Readonly<Record<CorrectionAction, number>>;
  readonly unfit: readonly UnfitCorrection[];
}

/**
 * Applies corrections to pictures; changes neither. `hashOf` tells a picture's content hash and is asked only of
 * pictures that a correction names by data set and file; a data set is named by its two last folders or by the last
 * alone. Each correction takes effect once or is told in `unfit`; those of data sets without any picture here are
 * passed over in silence. Annotated faces that lie mostly in an ignored region go out with it.
 */
export function applyCorrections(
  pictures: readonly LabelledPicture[],
  hashOf: (picture: LabelledPicture) => string,
  corrections: readonly Correction[],
): CorrectedPictures {
  const byFile = namedPictures(pictures, corrections);
  const present = new Set(pictures.flatMap(({ dataset }) => [dataset, dataset.split('/').at(-1)!]));
  const applied = Object.fromEntries(CORRECTION_ACTIONS.map((action) => [action, 0])) as Record<
    CorrectionAction,
    number
  >;
  const unfit: UnfitCorrection[] = [];
  const byPicture = new Map<LabelledPicture, Correction[]>();
  const reject = ({ source, dataset, file }: Correction, problem: string) =>
    void unfit.push({ source, dataset, file, problem });
  for (const correction of corrections) {
    if (!present.has(correction.dataset)) continue;
    const named = byFile.get(correction) ?? [];
    const picture = named.find((candidate) => hashOf(candidate) === correction.hash);
    if (!picture)
      reject(
        correction,
        named.length === 0 ? 'no such picture' : 'the picture has another content than when it was corrected',
      );
    else byPicture.set(picture, [...(byPicture.get(picture) ?? []), correction]);
  }
  const corrected = pictures.flatMap((picture) => {
    const own = byPicture.get(picture);
    if (!own) return [picture];
    const accept = ({ action }: Correction) => void applied[action]++;
    return picture.kind === 'scene'
      ? [correctScene(picture, own, accept, reject)]
      : correctPortrait(picture, own, accept, reject);
  });
  return { pictures: corrected, applied, unfit };
}

/** The pictures that a correction names, whatever their content. */
export function namedPictures(
  pictures: readonly LabelledPicture[],
  corrections: readonly Correction[],
): Map<Correction, LabelledPicture[]> {
  const byName = new Map<string, LabelledPicture[]>();
  for (const picture of pictures)
    for (const dataset of new Set([picture.dataset, picture.dataset.split('/').at(-1)!])) {
      const name = `${dataset}\n${fileInDataset(picture)}`;
      const list = byName.get(name);
      if (list) list.push(picture);
      else byName.set(name, [picture]);
    }
  return new Map(
    corrections.map((correction) => [
      correction,
      byName.get(`${correction.dataset}\n${correction.file}`) ?? [],
    ]),
  );
}

type Accept = (correction: Correction) => void;
type Reject = (correction: Correction, problem: string) => void;

function correctScene(
  picture: ScenePicture,
  corrections: readonly Correction[],
  accept: Accept,
  reject: Reject,
): ScenePicture {
  const annotated: (LabelledFace | null)[] = [...picture.faces];
  const touched = new Set<number>();
  // First what speaks of annotations, so that what is added is held against the annotations that are left.
  for (const correction of corrections) {
    if (correction.action !== 'relabel' && correction.action !== 'remove') continue;
    if (!correction.box) {
      reject(correction, 'a scene needs the box of the face');
      continue;
    }
    const index = nearestFace(picture.faces, correction.box, touched);
    if (index === null) {
      reject(correction, 'no annotated face has this box');
      continue;
    }
    touched.add(index);
    annotated[index] =
      correction.action === 'remove' ? null : { ...annotated[index]!, label: correction.label };
    accept(correction);
  }
  let faces = annotated.filter((face) => face !== null);
  const unclassified = [...picture.unclassified];
  const ignored = [...picture.ignored];
  const notFaces = [...picture.notFaces];
  const added: LabelledFace[] = [];
  for (const correction of corrections) {
    const { action } = correction;
    if (action === 'relabel' || action === 'remove') continue;
    const { box } = correction;
    if (!isMostlyInside(box, { x: 0, y: 0, width: picture.width, height: picture.height })) {
      reject(correction, `the box lies outside the picture (${picture.width} × ${picture.height})`);
      continue;
    }
    if (action === 'ignore') ignored.push(box);
    else if (faces.some((face) => iou(face.box, box) >= SAME_THING_IOU)) {
      reject(correction, 'an annotated face stands there');
      continue;
    } else if (action === 'not_a_face') notFaces.push(box);
    else if (correction.label === undefined) unclassified.push(box);
    else added.push({ box: clipBox(box, picture.width, picture.height), label: correction.label });
    accept(correction);
  }
  faces = faces.filter(({ box }) => !ignored.some((region) => isMostlyInside(box, region)));
  return { ...picture, faces: [...faces, ...added], unclassified, ignored, notFaces };
}

function correctPortrait(
  picture: PortraitPicture,
  corrections: readonly Correction[],
  accept: Accept,
  reject: Reject,
): PortraitPicture[] {
  let corrected: PortraitPicture[] = [picture];
  for (const correction of corrections) {
    if (correction.action === 'relabel') corrected = [{ ...picture, label: correction.label }];
    else if (correction.action === 'remove') corrected = [];
    else {
      reject(correction, `${correction.action} says nothing about a picture of one person`);
      continue;
    }
    accept(correction);
  }
  return corrected;
}

/** The face whose box is the same, the nearest where there are several; `null` when there is none. */
function nearestFace(faces: readonly LabelledFace[], box: Box, taken: ReadonlySet<number>): number | null {
  let nearest: number | null = null;
  faces.forEach((face, index) => {
    if (taken.has(index) || !isSameBox(face.box, box)) return;
    if (nearest === null || iou(face.box, box) > iou(faces[nearest]!.box, box)) nearest = index;
  });
  return nearest;
}
