import { describe, expect, it } from 'vitest';
import type { DecodedFace } from '../../../../src/detection/yunet-decode.js';
import type { Box } from '../../../../src/domain/box.js';
import type { Landmarks } from '../../../../src/domain/face.js';
import { sceneTargets } from '../../../../src/training/detector/face-targets.js';

const FACE: Box = { x: 100, y: 100, width: 40, height: 40 };
const ELSEWHERE: Box = { x: 300, y: 50, width: 30, height: 30 };
const NOTHING = { faces: [], unclassified: [], ignored: [], notFaces: [] };

function landmarksOf({ x, y, width, height }: Box): Landmarks {
  const at = (across: number, down: number) => ({ x: x + across * width, y: y + down * height });
  return [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)];
}
const seen = (box: Box, score: number): DecodedFace => ({ box, score, landmarks: landmarksOf(box) });
const moved = (box: Box, x: number): Box => ({ ...box, x: box.x + x });
const labelled = { ...NOTHING, faces: [{ box: FACE, label: 'with_mask' as const }] };

describe('targets of a labelled face', () => {
  it('have the label, the mean of both boxes and the landmarks of the teacher', () => {
    const other = moved(FACE, 8);
    expect(sceneTargets(labelled, [seen(other, 0.9)])).toEqual({
      faces: [{ box: moved(FACE, 4), landmarks: landmarksOf(other), label: 'with_mask', weight: 1 }],
      ignored: [],
      hardNegatives: [],
    });
  });

  it('keep the annotated box, without landmarks, where the teacher draws otherwise or sees nothing', () => {
    // 20 of 60 px in common, IoU 1/3: and mostly inside, so that it is no face of its own.
    const beside = moved(FACE, 20);
    const bare = { box: FACE, landmarks: null, label: 'with_mask', weight: 1 };
    expect(sceneTargets(labelled, [seen(beside, 0.9)])).toMatchObject({ faces: [bare], ignored: [] });
    expect(sceneTargets(labelled, []).faces).toEqual([bare]);
    expect(sceneTargets(labelled, [seen(moved(FACE, 8), 0.1)]).faces).toEqual([bare]);
  });

  it('take the box but not the landmarks of a teacher that is unsure', () => {
    const other = moved(FACE, 8);
    expect(sceneTargets(labelled, [seen(other, 0.3)]).faces).toEqual([
      { box: moved(FACE, 4), landmarks: null, label: 'with_mask', weight: 1 },
    ]);
  });

  it('take the detection with the best product of overlap and score', () => {
    const [near, sure] = [moved(FACE, 2), moved(FACE, 10)];
    const boxWith = (nearScore: number) =>
      sceneTargets(labelled, [seen(near, nearScore), seen(sure, 0.8)]).faces[0]!.box.x;
    // Overlaps 38/42 and 30/50.
    expect(boxWith(0.6)).toBe(101);
    expect(boxWith(0.5)).toBe(105);
  });

  it('have no label where nobody can tell it, at full weight', () => {
    const { faces } = sceneTargets({ ...NOTHING, unclassified: [FACE] }, [seen(FACE, 0.9)]);
    expect(faces).toEqual([{ box: FACE, landmarks: landmarksOf(FACE), label: null, weight: 1 }]);
  });
});

describe('targets of what the teacher alone has seen', () => {
  it('are a face of less weight, neither face nor background, or nothing, by the score', () => {
    const kind = (score: number) => {
      const { faces, ignored } = sceneTargets(labelled, [seen(ELSEWHERE, score)]);
      return [faces.length - 1, ignored.length];
    };
    expect(kind(0.7)).toEqual([1, 0]);
    expect(kind(0.69)).toEqual([0, 1]);
    expect(kind(0.2)).toEqual([0, 1]);
    expect(kind(0.19)).toEqual([0, 0]);
    expect(sceneTargets(NOTHING, [seen(ELSEWHERE, 0.8)]).faces).toEqual([
      { box: ELSEWHERE, landmarks: landmarksOf(ELSEWHERE), label: null, weight: 0.7 },
    ]);
  });

  it('count once when seen at two sizes, with the better box', () => {
    const [better, worse] = [seen(ELSEWHERE, 0.9), seen(moved(ELSEWHERE, 4), 0.75)];
    const faint = seen(moved(ELSEWHERE, 3), 0.4);
    for (const teacher of [
      [better, worse, faint],
      [faint, worse, better],
    ])
      expect(sceneTargets(NOTHING, teacher)).toEqual({
        faces: [{ box: ELSEWHERE, landmarks: better.landmarks, label: null, weight: 0.7 }],
        ignored: [],
        hardNegatives: [],
      });
  });

  it('are nothing in an ignored region, which stays one', () => {
    const scene = { ...NOTHING, ignored: [{ x: 290, y: 40, width: 60, height: 60 }] };
    expect(sceneTargets(scene, [seen(ELSEWHERE, 0.9)])).toEqual({
      faces: [],
      ignored: scene.ignored,
      hardNegatives: [],
    });
  });

  it('are hard background where a person said that it is no face', () => {
    const scene = { ...labelled, notFaces: [ELSEWHERE] };
    const { faces, ignored, hardNegatives } = sceneTargets(scene, [
      seen(FACE, 0.9),
      seen(moved(ELSEWHERE, 3), 0.95),
      seen(moved(ELSEWHERE, -3), 0.4),
    ]);
    expect(faces.map(({ label }) => label)).toEqual(['with_mask']);
    expect(ignored).toEqual([]);
    expect(hardNegatives).toEqual([ELSEWHERE]);
  });
});
