import { describe, expect, it } from 'vitest';
import type { FaceDetection } from '../../../src/domain/face.js';
import type { FaceTrack } from '../../../src/domain/track.js';
import { FaceTracker, type FaceTrackerOptions } from '../../../src/tracking/face-tracker.js';
import { faceAt, makeFace, seededRandom } from './make-face.js';

const OPTIONS: FaceTrackerOptions = { highScore: 0.5, lowScore: 0.25, confirmHits: 2, maxLostMs: 2000 };
const PERIOD_MS = 200;

/** Runs frames at five a second and returns, for each, the tracks that were seen in it. */
function follow(
  frames: readonly (readonly FaceDetection[] | 'dropped')[],
  tracker = new FaceTracker(OPTIONS),
): FaceTrack[][] {
  return frames.flatMap((frame, index) =>
    frame === 'dropped'
      ? []
      : [tracker.update(frame, index * PERIOD_MS).tracks.filter(({ detection }) => detection !== null)],
  );
}

const idsOf = (frames: readonly (readonly FaceTrack[])[]) => [
  ...new Set(frames.flat().map(({ trackId }) => trackId)),
];

/** The id that held the detection of one face in each frame in which it was shown. */
const idsAlong = (frames: readonly (readonly FaceTrack[])[], faces: readonly (FaceDetection | null)[]) => [
  ...new Set(
    frames.flatMap((tracks, index) => {
      const face = faces[index];
      return face ? [tracks.find(({ detection }) => detection === face)?.trackId] : [];
    }),
  ),
];

const count = (length: number) => Array.from({ length }, (_, index) => index);

describe('FaceTracker: following', () => {
  it('confirms a face on its second frame and holds its first and last time', () => {
    const tracker = new FaceTracker(OPTIONS);
    expect(tracker.update([faceAt(100, 100)], 1000).tracks[0]).toMatchObject({
      trackId: 1,
      state: 'tentative',
      hits: 1,
      firstSeenMs: 1000,
    });
    expect(tracker.update([faceAt(101, 100)], 1200).tracks[0]).toMatchObject({
      trackId: 1,
      state: 'confirmed',
      hits: 2,
      firstSeenMs: 1000,
      lastSeenMs: 1200,
    });
  });

  it.each([
    ['standing', 0, 0],
    ['strolling', 12, 1],
    ['walking by more than its width each frame', 40, 3],
    ['hurrying', 60, -5],
  ])('keeps one id for a 30 px face that is %s', (_name, dx, dy) => {
    const faces = count(15).map((i) => faceAt(50 + dx * i, 150 + dy * i));
    const frames = follow(faces.map((face) => [face]));
    expect(idsAlong(frames, faces)).toEqual([1]);
  });

  it('keeps one id while frames are dropped', () => {
    const faces = count(24).map((i) => faceAt(30 + 40 * i, 150));
    const dropped = new Set([1, 4, 5, 9, 12, 13, 14, 20]);
    const frames = follow(faces.map((face, i) => (dropped.has(i) ? 'dropped' : [face])));
    expect(idsOf(frames)).toEqual([1]);
  });

  it('keeps one id when a walker stops, turns round and walks back', () => {
    const path = [0, 40, 80, 120, 160, 180, 184, 184, 184, 160, 120, 80, 40, 0];
    const faces = path.map((x) => faceAt(100 + x, 150));
    expect(idsAlong(follow(faces.map((face) => [face])), faces)).toEqual([1]);
  });

  it('keeps one id for a face that comes nearer and trembles', () => {
    const random = seededRandom(3);
    const faces = count(30).map((i) => {
      const width = 20 * 1.05 ** i;
      const tremble = () => (random() - 0.5) * 0.2 * width;
      return faceAt(300 + 4 * i + tremble(), 100 + 5 * i + tremble(), width + tremble());
    });
    expect(idsAlong(follow(faces.map((face) => [face])), faces)).toEqual([1]);
  });

  it('keeps two people apart who walk side by side', () => {
    const left = count(12).map((i) => faceAt(40 + 40 * i, 150));
    const right = count(12).map((i) => faceAt(120 + 40 * i, 155));
    const frames = follow(left.map((face, i) => [right[i]!, face]));
    expect(idsOf(frames)).toHaveLength(2);
    expect(idsAlong(frames, left)).toHaveLength(1);
    expect(idsAlong(frames, right)).toHaveLength(1);
  });

  it.each([
    ['fast', 40],
    ['slowly', 9],
  ])('keeps two people apart who cross %s, one hiding the other', (_name, stepPx) => {
    const toRight = count(20).map((i) => faceAt(400 + stepPx * (i - 10), 150));
    const toLeft = count(20).map((i) => faceAt(400 - stepPx * (i - 10), 146, 26));
    const shown = toLeft.map((face, i) => (Math.abs(i - 10) * 2 * stepPx < 28 ? null : face));
    const frames = follow(toRight.map((face, i) => [face, ...(shown[i] ? [shown[i]] : [])]));
    expect(shown).toContain(null);
    expect(idsOf(frames)).toHaveLength(2);
    expect(idsAlong(frames, toRight)).toHaveLength(1);
    expect(idsAlong(frames, shown)).toHaveLength(1);
  });
});

describe('FaceTracker: hiding', () => {
  it.each([
    ['a standing face', 0],
    ['a walking face', 40],
  ])('gives %s its id back after 1.5 s behind something', (_name, dx) => {
    const faces = count(20).map((i) => faceAt(60 + dx * i, 150));
    const isHidden = (i: number) => i >= 7 && i < 14;
    const frames = follow(faces.map((face, i) => (isHidden(i) ? [] : [face])));
    expect(idsOf(frames)).toEqual([1]);
  });

  it('gives a walker its id back who stopped behind the pillar', () => {
    const x = (i: number) => (i < 7 ? 60 + 40 * i : 60 + 40 * 7.5);
    const frames = follow(count(20).map((i) => (i >= 7 && i < 13 ? [] : [faceAt(x(i), 150)])));
    expect(idsOf(frames)).toEqual([1]);
  });

  it('gives a face to the track that was seen just now, not to one that could be anywhere', () => {
    const tracker = new FaceTracker(OPTIONS);
    for (const i of count(4)) tracker.update([faceAt(100, 100), faceAt(160, 100)], i * PERIOD_MS);
    for (const i of count(7)) tracker.update([faceAt(160, 100)], 800 + i * PERIOD_MS);
    const face = faceAt(140, 100);
    const { tracks } = tracker.update([face], 2200);
    expect(tracks.map(({ trackId, detection }) => [trackId, detection === face])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it('says lost while hidden, goes on predicting, and ends the track once, under an id never used again', () => {
    const tracker = new FaceTracker(OPTIONS);
    for (const i of count(5)) tracker.update([faceAt(100 + 20 * i, 100)], i * PERIOD_MS);
    const hidden = tracker.update([], 1000);
    expect(hidden.tracks[0]).toMatchObject({ state: 'lost', detection: null, lastSeenMs: 800, hits: 5 });
    expect(hidden.tracks[0]!.box.x + 15).toBeGreaterThan(190);
    expect(tracker.update([], 2800)).toMatchObject({ tracks: [{ trackId: 1 }], endedTrackIds: [] });
    expect(tracker.update([], 2801)).toEqual({ tracks: [], endedTrackIds: [1] });
    expect(tracker.update([faceAt(180, 100)], 3000)).toMatchObject({
      tracks: [{ trackId: 2 }],
      endedTrackIds: [],
    });
  });

  it('does not give a hidden face’s id to somebody on the other side of the picture', () => {
    const tracker = new FaceTracker(OPTIONS);
    for (const i of count(5)) tracker.update([faceAt(100, 100)], i * PERIOD_MS);
    for (const i of count(6)) tracker.update([], 1000 + i * PERIOD_MS);
    const { tracks } = tracker.update([faceAt(500, 100)], 2300);
    expect(tracks.map(({ trackId, state }) => [trackId, state])).toEqual([
      [1, 'lost'],
      [2, 'tentative'],
    ]);
  });

  it('does not give a hidden face’s id to a face of another size at the same place', () => {
    const tracker = new FaceTracker(OPTIONS);
    for (const i of count(5)) tracker.update([faceAt(100, 100, 30)], i * PERIOD_MS);
    expect(tracker.update([faceAt(100, 100, 80)], 1000).tracks.map(({ trackId }) => trackId)).toEqual([1, 2]);
  });

  it('forgets everything after a long gap in the stream', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100)], 0);
    tracker.update([faceAt(100, 100)], 200);
    expect(tracker.update([faceAt(100, 100)], 60_000)).toMatchObject({
      tracks: [{ trackId: 2 }],
      endedTrackIds: [1],
    });
  });

  it('begins anew when the picture is of another scene', () => {
    const tracker = new FaceTracker(OPTIONS);
    const before = count(6).map((i) => faceAt(60 + 200 * i, 100));
    // One of the new faces happens to stand where an old one was.
    const after = [faceAt(262, 100), ...count(4).map((i) => faceAt(160 + 200 * i, 400))];
    tracker.update(before, 0);
    tracker.update(before, 200);
    const { tracks, endedTrackIds } = tracker.update(after, 400);
    expect(endedTrackIds).toEqual([1, 2, 3, 4, 5, 6]);
    expect(tracks.map(({ trackId }) => trackId)).toEqual([7, 8, 9, 10, 11]);
  });

  it('does not take a spoilt picture for another scene', () => {
    const tracker = new FaceTracker(OPTIONS);
    const faces = count(6).map((i) => faceAt(60 + 200 * i, 100));
    tracker.update(faces, 0);
    tracker.update(faces, 200);
    expect(tracker.update([], 400).endedTrackIds).toEqual([]);
    expect(tracker.update([faceAt(700, 600)], 600).endedTrackIds).toEqual([]);
    const { tracks } = tracker.update(faces, 800);
    expect(tracks.filter(({ state }) => state === 'confirmed')).toHaveLength(6);
  });

  it('ends a face seen once, soon', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100)], 0);
    expect(tracker.update([], 400).tracks).toMatchObject([{ trackId: 1, state: 'tentative' }]);
    expect(tracker.update([], 600)).toEqual({ tracks: [], endedTrackIds: [1] });
  });

  it('ends all on reset, and goes on counting', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100), faceAt(300, 100)], 0);
    expect(tracker.reset()).toEqual([1, 2]);
    expect(tracker.update([faceAt(100, 100)], 200).tracks).toMatchObject([{ trackId: 3, hits: 1 }]);
  });
});

describe('FaceTracker: two stages', () => {
  it('continues a confirmed track with a low score, but begins none', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100)], 0);
    tracker.update([faceAt(104, 100)], 200);
    const low = faceAt(108, 100, 30, 0.3);
    const { tracks } = tracker.update([low, faceAt(400, 100, 30, 0.45)], 400);
    expect(tracks).toHaveLength(1);
    expect(tracks[0]).toMatchObject({ trackId: 1, state: 'confirmed', detection: low });
  });

  it('trusts the place of a half-hidden face less', () => {
    const shiftAfter = (score: number) => {
      const tracker = new FaceTracker(OPTIONS);
      for (const i of count(5)) tracker.update([faceAt(100, 100)], i * PERIOD_MS);
      return tracker.update([faceAt(110, 100, 30, score)], 1000).tracks[0]!.box.x;
    };
    expect(shiftAfter(0.3)).toBeLessThan(shiftAfter(0.9));
  });

  it('ignores what is below the low score', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100)], 0);
    tracker.update([faceAt(100, 100)], 200);
    expect(tracker.update([faceAt(100, 100, 30, 0.24)], 400).tracks[0]).toMatchObject({ state: 'lost' });
  });

  it('does not wake a lost track with a low score', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100)], 0);
    tracker.update([faceAt(100, 100)], 200);
    tracker.update([], 400);
    expect(tracker.update([faceAt(100, 100, 30, 0.3)], 600).tracks[0]).toMatchObject({ state: 'lost' });
    expect(tracker.update([faceAt(100, 100, 30, 0.6)], 800).tracks[0]).toMatchObject({ state: 'confirmed' });
  });

  it('lets the good detection have the track where a poor one is nearer', () => {
    const tracker = new FaceTracker(OPTIONS);
    tracker.update([faceAt(100, 100)], 0);
    tracker.update([faceAt(100, 100)], 200);
    const good = faceAt(112, 100);
    const { tracks } = tracker.update([faceAt(88, 100, 20, 0.3), good], 400);
    expect(tracks).toHaveLength(1);
    expect(tracks[0]!.detection).toBe(good);
  });
});

describe('FaceTracker: crowds and oddities', () => {
  it('takes empty frames', () => {
    const tracker = new FaceTracker(OPTIONS);
    expect(tracker.update([], 0)).toEqual({ tracks: [], endedTrackIds: [] });
    expect(tracker.update([], 200)).toEqual({ tracks: [], endedTrackIds: [] });
  });

  it('makes one track of two boxes on one face, nested or shifted', () => {
    const whole = faceAt(100, 100, 60);
    // The same eyes, nose and mouth in a smaller box: IoU 0.36, below any NMS threshold.
    const inner = { ...faceAt(100, 100, 36, 0.7), landmarks: whole.landmarks };
    const shifted = { ...faceAt(115, 100, 60, 0.8), landmarks: whole.landmarks };
    const frames = follow(count(6).map((i) => (i % 2 ? [whole, inner] : [shifted, whole])));
    expect(idsOf(frames)).toEqual([1]);
  });

  it('makes one track of two boxes that overlap by half, whatever their landmarks', () => {
    const frames = follow(count(6).map(() => [faceAt(100, 100, 60), faceAt(112, 108, 60, 0.7)]));
    expect(idsOf(frames)).toEqual([1]);
  });

  it('makes two tracks of two faces that overlap', () => {
    const frames = follow(count(4).map(() => [faceAt(100, 100, 40), faceAt(122, 96, 40)]));
    expect(idsOf(frames)).toHaveLength(2);
  });

  it('follows 50 faces that wander, without a switch', () => {
    const random = seededRandom(11);
    const people = count(50).map((i) => ({
      x: 60 + (i % 10) * 120,
      y: 60 + Math.floor(i / 10) * 130,
      dx: (random() - 0.5) * 24,
      dy: (random() - 0.5) * 12,
    }));
    const frames = count(10).map((t) =>
      people.map((p) => faceAt(p.x + p.dx * t + random() * 2, p.y + p.dy * t + random() * 2, 28)),
    );
    const seen = follow(frames.map((faces) => [...faces].sort(() => random() - 0.5)));
    for (const person of people.keys()) {
      expect(
        idsAlong(
          seen,
          frames.map((faces) => faces[person]!),
        ),
      ).toHaveLength(1);
    }
    expect(idsOf(seen)).toHaveLength(50);
  });

  it('ignores boxes without area and survives time that stands still or runs back', () => {
    const tracker = new FaceTracker(OPTIONS);
    const empty = makeFace({ x: 5, y: 5, width: 0, height: 10 });
    tracker.update([faceAt(100, 100), empty], 1000);
    tracker.update([faceAt(100, 100)], 1000);
    const { tracks } = tracker.update([faceAt(101, 100)], 900);
    expect(tracks).toMatchObject([{ trackId: 1, hits: 3, lastSeenMs: 1000 }]);
    expect(Number.isFinite(tracks[0]!.box.x)).toBe(true);
  });

  it('never uses an id or a detection twice, whatever comes', () => {
    const random = seededRandom(99);
    const tracker = new FaceTracker(OPTIONS);
    const ended = new Set<number>();
    let nowMs = 0;
    let highest = 0;
    for (let frame = 0; frame < 500; frame++) {
      nowMs += random() < 0.1 ? random() * 3000 : 200;
      const faces = count(Math.floor(random() * 8)).map(() =>
        faceAt(random() * 640, random() * 360, 15 + random() * 60, random()),
      );
      const update = tracker.update(faces, nowMs);
      for (const id of update.endedTrackIds) {
        expect(ended.has(id)).toBe(false);
        ended.add(id);
      }
      const ids = update.tracks.map(({ trackId }) => trackId);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      for (const id of ids) {
        expect(ended.has(id)).toBe(false);
        highest = Math.max(highest, id);
      }
      const used = update.tracks.flatMap(({ detection }) => (detection ? [detection] : []));
      expect(new Set(used).size).toBe(used.length);
      for (const { box } of update.tracks) {
        expect(box.width).toBeGreaterThan(0);
        expect(box.height).toBeGreaterThan(0);
        expect(Number.isFinite(box.x + box.y)).toBe(true);
      }
    }
    expect(highest).toBeGreaterThan(50);
  });
});
