import type { DecodedFace } from '../../detection/yunet-decode.js';
import { type Box, iou } from '../../domain/box.js';
import type { Landmarks } from '../../domain/face.js';
import type { MaskLabel } from '../../domain/label.js';
import type { ScenePicture } from '../dataset/picture.js';
import { isMostlyInside } from '../dataset/regions.js';

/** A face that a detector must find, in pixels of its picture. */
export interface TargetFace {
  readonly box: Box;
  /** `null` where nobody knows them. */
  readonly landmarks: Landmarks | null;
  /** `null`: a face without a label. */
  readonly label: MaskLabel | null;
  /** In the loss: less than 1 where only the teacher says that it is a face. */
  readonly weight: number;
}

/** What a picture teaches a detector. */
export interface PictureTargets {
  readonly faces: readonly TargetFace[];
  /** Neither face nor background. */
  readonly ignored: readonly Box[];
  /** Background that looks like a face. */
  readonly hardNegatives: readonly Box[];
}

export interface TeacherRules {
  /** An unlabelled detection of the teacher is taken for a face from this score on… */
  readonly faceScore: number;
  /** …and is no background from this one on. */
  readonly ignoreScore: number;
  /** Weight of a face that nobody but the teacher has seen. */
  readonly unlabelledWeight: number;
  /** Landmarks are taken over from this score on. */
  readonly landmarkScore: number;
}

export const TEACHER_RULES: TeacherRules = {
  faceScore: 0.7,
  ignoreScore: 0.2,
  unlabelledWeight: 0.7,
  landmarkScore: 0.4,
};

const SAME_FACE_IOU = 0.35;
/** From this overlap on, the two boxes are drawn alike and their mean is the better one. */
const SAME_STYLE_IOU = 0.5;

/**
 * Faces, ignored regions and hard negatives of a scene, from its labels and from what the teacher (the published
 * detector) finds in it at several sizes. Annotators left out many faces, so a place where the teacher sees
 * something is background only where a correction says so.
 */
export function sceneTargets(
  scene: Pick<ScenePicture, 'faces' | 'unclassified' | 'ignored' | 'notFaces'>,
  teacher: readonly DecodedFace[],
  rules: TeacherRules = TEACHER_RULES,
): PictureTargets {
  const known = [
    ...scene.faces.map(({ box, label }) => ({ box, label })),
    ...scene.unclassified.map((box) => ({ box, label: null })),
  ];
  const faces: TargetFace[] = known.map(({ box, label }) => labelledTarget(box, label, teacher, rules));
  const ignored: Box[] = [...scene.ignored];
  // Best first, so that a face seen at two sizes counts once, with its better box.
  for (const face of [...teacher].sort((a, b) => b.score - a.score)) {
    if (face.score < rules.ignoreScore) break;
    if (known.some(({ box }) => isOnFace(face.box, box))) continue;
    if (scene.ignored.some((region) => isMostlyInside(face.box, region))) continue;
    if (scene.notFaces.some((place) => iou(place, face.box) >= SAME_FACE_IOU)) continue;
    if (faces.some(({ box }) => isOnFace(face.box, box))) continue;
    if (face.score >= rules.faceScore)
      faces.push({ box: face.box, landmarks: face.landmarks, label: null, weight: rules.unlabelledWeight });
    else ignored.push(face.box);
  }
  return { faces, ignored, hardNegatives: [...scene.notFaces] };
}

/** The annotated box, drawn towards the teacher's where both agree; the teacher's landmarks. */
function labelledTarget(
  box: Box,
  label: MaskLabel | null,
  teacher: readonly DecodedFace[],
  rules: TeacherRules,
): TargetFace {
  let best: { face: DecodedFace; merit: number; overlap: number } | null = null;
  for (const face of teacher) {
    const overlap = iou(face.box, box);
    const merit = overlap * face.score;
    if (overlap >= SAME_STYLE_IOU && merit > (best?.merit ?? 0)) best = { face, merit, overlap };
  }
  if (!best || best.face.score < rules.ignoreScore) return { box, landmarks: null, label, weight: 1 };
  const { face } = best;
  return {
    box: meanBox(box, face.box),
    landmarks: face.score >= rules.landmarkScore ? face.landmarks : null,
    label,
    weight: 1,
  };
}

function isOnFace(box: Box, face: Box): boolean {
  return iou(box, face) >= SAME_FACE_IOU || isMostlyInside(box, face) || isMostlyInside(face, box);
}

function meanBox(a: Box, b: Box): Box {
  return {
    x: (a.x + b.x) / 2,
    y: (a.y + b.y) / 2,
    width: (a.width + b.width) / 2,
    height: (a.height + b.height) / 2,
  };
}
