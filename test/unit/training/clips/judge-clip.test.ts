import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../../src/domain/label.js';
import { faceOf, readClipsTruth, shippedClipsTruth } from '../../../../src/training/clips/clip-truth.js';
import { type ClipFrame, judgeClip } from '../../../../src/training/clips/judge-clip.js';

const VIOLATIONS = ['without_mask', 'mask_worn_incorrectly'] as const;
type Path = [number, number, number, number, number][];
const person = (id: string, paths: Path[], label: 'with_mask' | 'without_mask' = 'with_mask') => ({
  id,
  label,
  paths,
});
/** A face of 40 px at `x`. */
const face = (x: number, outcome: Outcome, trackId = 1) => ({
  ...{ outcome, trackId },
  box: { x, y: 0, width: 40, height: 40 },
});
const frames = (...faces: ClipFrame['faces'][]): ClipFrame[] =>
  faces.map((found, index) => ({ timeMs: index * 200, faces: found }));
const still = person('still', [
  [
    [0, 0, 0, 40, 40],
    [600, 0, 0, 40, 40],
  ],
]);
const judge = (
  persons: Parameters<typeof judgeClip>[0]['persons'],
  seen: readonly ClipFrame[],
  uncounted: Parameters<typeof judgeClip>[0]['uncounted'] = [],
) => judgeClip({ persons, uncounted }, seen, VIOLATIONS);

describe('decisions about the persons of a clip', () => {
  it('are the last label told, and waver when most frames say otherwise', () => {
    const seen = frames(
      [face(0, 'not_assessable')],
      [face(0, 'without_mask')],
      [face(2, 'without_mask')],
      [face(0, 'with_mask')],
    );
    expect(judge([still], seen).persons).toEqual([
      {
        ...{ id: 'still', label: 'with_mask', decision: 'with_mask', verdict: 'right', isWavering: true },
        frames: { inView: 4, found: 4, told: { without_mask: 2, with_mask: 1 } },
        tracks: [1],
      },
    ]);
    expect(judge([{ ...still, label: 'without_mask' }], seen).persons[0]).toMatchObject({
      verdict: 'wrong',
      isWavering: true,
    });
  });

  it('are missing when nothing was told, and may be one of several labels', () => {
    expect(judge([still], frames([face(0, 'not_assessable')], [])).persons[0]).toMatchObject({
      ...{ verdict: 'undecided', decision: null, isWavering: false },
      frames: { inView: 2, found: 1, told: {} },
    });
    const either = { ...still, label: 'without_mask' as const, alsoRight: ['with_mask' as const] };
    expect(judge([either], frames([face(0, 'with_mask')])).persons[0]!.verdict).toBe('right');
  });

  it('follow a person who walks, and end with the path: a track that goes on with another one is theirs', () => {
    const walker = person('walker', [
      [
        [0, 0, 0, 40, 40],
        [400, 200, 0, 40, 40],
      ],
    ]);
    const after = person(
      'after',
      [
        [
          [600, 200, 0, 40, 40],
          [800, 200, 0, 40, 40],
        ],
      ],
      'without_mask',
    );
    const seen = frames(
      [face(0, 'with_mask')],
      [face(100, 'with_mask')],
      [face(200, 'with_mask')],
      [face(200, 'without_mask')],
      [face(200, 'without_mask')],
    );
    const { persons, strays } = judge([walker, after], seen);
    expect(persons.map(({ verdict, frames }) => [verdict, frames.found])).toEqual([
      ['right', 3],
      ['right', 2],
    ]);
    expect(strays).toEqual([]);
    expect(faceOf(walker, 100)).toEqual({ x: 50, y: 0, width: 40, height: 40 });
    expect(faceOf(walker, 401)).toBeNull();
  });
});

describe('labels told where nobody is', () => {
  it('are listed by track, violations apart, but for what is uncounted or not assessable', () => {
    const seen = frames(
      [face(0, 'with_mask'), face(300, 'without_mask', 7), face(500, 'with_mask', 8)],
      [face(0, 'with_mask'), face(300, 'not_assessable', 7), face(500, 'with_mask', 8)],
    );
    expect(judge([still], seen).strays).toEqual([
      expect.objectContaining({
        trackId: 7,
        fromMs: 0,
        toMs: 0,
        told: { without_mask: 1 },
        isViolation: true,
      }),
      expect.objectContaining({ trackId: 8, toMs: 200, told: { with_mask: 2 }, isViolation: false }),
    ]);
    const region = { x: 290, y: 0, width: 60, height: 60 };
    const uncounted = [{ fromMs: 0, toMs: 100, region, why: 'far away' }];
    expect(judge([still], seen, uncounted).strays.map(({ trackId }) => trackId)).toEqual([8]);
    const everything = [{ fromMs: 0, toMs: 1000, why: 'far away' }];
    expect(judge([still], seen, everything).strays).toEqual([]);
  });

  it('are none on a second box of a person who is in view', () => {
    const seen = frames([face(0, 'with_mask'), face(10, 'without_mask', 2)]);
    expect(judge([still], seen).strays).toEqual([]);
  });
});

describe('the truth that ships', () => {
  it('is well formed, and names no person of a clip twice', async () => {
    const { clips } = await readClipsTruth(shippedClipsTruth());
    expect(clips.map(({ file }) => file)).toContain('negative-mask-on-bench.mp4');
    for (const { persons } of clips) {
      expect(new Set(persons.map(({ id }) => id)).size).toBe(persons.length);
      for (const { paths } of persons)
        expect(paths.every((path) => faceOf({ paths }, path[0]![0]) !== null)).toBe(true);
    }
    await expect(readClipsTruth('nowhere.json')).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  });
});
