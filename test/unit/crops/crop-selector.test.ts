import { describe, expect, it } from 'vitest';
import { type CropCandidate, CropSelector } from '../../../src/crops/crop-selector.js';
import { rollDegrees } from '../../../src/crops/head-pose.js';
import type { Decision } from '../../../src/domain/face.js';
import type { TrackState } from '../../../src/domain/track.js';
import { faceAt, seededRandom } from '../tracking/make-face.js';

function candidate(
  trackId: number,
  options: { quality?: number; state?: TrackState; isAssessable?: boolean } = {},
): CropCandidate {
  const { quality = 0.7, state = 'confirmed', isAssessable = true } = options;
  const detection = faceAt(100 * trackId, 100);
  return {
    track: { trackId, state, box: detection.box, detection, firstSeenMs: 0, lastSeenMs: 0, hits: 3 },
    assessment: isAssessable
      ? { assessable: true, quality }
      : { assessable: false, quality, reason: 'blurred' },
  };
}

const decided = (withMask: number): Decision => ({
  outcome: 'with_mask',
  scores: { with_mask: withMask, without_mask: 1 - withMask, mask_worn_incorrectly: 0 },
  evidenceCount: 3,
});
const CERTAIN = decided(0.97);
const undecided: Decision = { ...decided(0.6), outcome: 'not_assessable', reason: 'low_certainty' };

const make = (options: { maxCropsPerFrame?: number; onDeferred?: (count: number) => void } = {}) =>
  new CropSelector({ recheckMs: 1000, maxCropsPerFrame: 8, ...options });
const ids = (crops: readonly { trackId: number }[]) => crops.map(({ trackId }) => trackId);

/** Times at which one track is classified when frames come five times a second. */
function timesOf(
  selector: CropSelector,
  decision: (nowMs: number) => Decision | undefined,
  endMs: number,
  quality: (nowMs: number) => number = () => 0.7,
): number[] {
  const times: number[] = [];
  for (let nowMs = 0; nowMs <= endMs; nowMs += 200) {
    const present = decision(nowMs);
    const crops = selector.select(
      [candidate(1, { quality: quality(nowMs) })],
      new Map(present ? [[1, present]] : []),
      nowMs,
    );
    if (crops.length > 0) times.push(nowMs);
  }
  return times;
}

describe('CropSelector', () => {
  it('takes a new face at once, with the detector’s box', () => {
    const face = candidate(1, { quality: 0.42 });
    const { box, landmarks } = face.track.detection!;
    expect(make().select([face], new Map(), 5000)).toEqual([
      {
        ...{ trackId: 1, box, detectionScore: 0.9, rollDegrees: rollDegrees(landmarks) },
        ...{ quality: 0.42, monotonicMs: 5000 },
      },
    ]);
  });

  it('leaves out tentative and hidden tracks and faces that cannot be judged', () => {
    const hidden = candidate(4);
    const crops = make().select(
      [
        candidate(1, { state: 'tentative' }),
        candidate(2, { isAssessable: false }),
        candidate(3),
        { ...hidden, track: { ...hidden.track, detection: null, state: 'lost' } },
      ],
      new Map(),
      0,
    );
    expect(ids(crops)).toEqual([3]);
  });

  it('looks at an undecided face in every frame and at a decided one after the recheck time', () => {
    expect(timesOf(make(), (nowMs) => (nowMs < 600 ? undecided : CERTAIN), 2600)).toEqual([
      0, 200, 400, 1400, 2400,
    ]);
  });

  it('looks again in the next frame once a decision begins to waver', () => {
    const wavering = decided(0.85);
    expect(timesOf(make(), (nowMs) => (nowMs > 1000 && nowMs < 1600 ? wavering : CERTAIN), 2400)).toEqual([
      0, 1000, 1200, 1400, 2400,
    ]);
  });

  it('grows patient with a face that stays uncertain', () => {
    const times = timesOf(make(), () => undecided, 60_000);
    expect(times.filter((ms) => ms <= 2000)).toHaveLength(11);
    expect(times.filter((ms) => ms > 40_000 && ms <= 60_000)).toHaveLength(20);
  });

  it('looks earlier when a clearly better crop appears, once', () => {
    const times = timesOf(
      make(),
      () => CERTAIN,
      2600,
      (nowMs) => (nowMs < 400 ? 0.4 : 0.8),
    );
    expect(times).toEqual([0, 400, 1400, 2400]);
  });

  it('classifies a decided face once per recheck time, however many frames there are', () => {
    const selector = make();
    let crops = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 20)
      crops += selector.select([candidate(1)], new Map([[1, CERTAIN]]), nowMs).length;
    expect(crops).toBe(10);
  });

  it('takes new before undecided before due, the best crop first, and tells what it put off', () => {
    const deferred: number[] = [];
    const selector = make({ maxCropsPerFrame: 3, onDeferred: (count) => deferred.push(count) });
    const decisions = new Map([
      [1, CERTAIN],
      [2, undecided],
    ]);
    selector.select([candidate(1), candidate(2)], decisions, 0);
    const crops = selector.select(
      [candidate(1), candidate(2), candidate(3, { quality: 0.3 }), candidate(4, { quality: 0.9 })],
      decisions,
      1000,
    );
    expect(ids(crops)).toEqual([4, 3, 2]);
    expect(deferred).toEqual([1]);
  });

  it('lets nobody wait for ever in a crowd', () => {
    const random = seededRandom(5);
    const selector = make({ maxCropsPerFrame: 4 });
    const people = Array.from({ length: 50 }, (_, i) => i + 1);
    const lastMs = new Map(people.map((id) => [id, 0]));
    let longestMs = 0;
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 200) {
      const faces = people.map((id) => candidate(id, { quality: id % 10 === 0 ? 0.05 : random() }));
      const decisions = new Map(people.map((id) => [id, id % 3 === 0 ? undecided : CERTAIN]));
      const crops = selector.select(faces, decisions, nowMs);
      expect(crops.length).toBeLessThanOrEqual(4);
      for (const { trackId } of crops) lastMs.set(trackId, nowMs);
      longestMs = Math.max(longestMs, ...people.map((id) => nowMs - lastMs.get(id)!));
    }
    expect(longestMs).toBeLessThan(15_000);
  });

  it('looks at once at a decided face that comes back after it was hidden', () => {
    const selector = new CropSelector({ recheckMs: 60_000, maxCropsPerFrame: 8 });
    const decisions = new Map([[1, CERTAIN]]);
    selector.select([candidate(1)], decisions, 0);
    expect(selector.select([candidate(1)], decisions, 800)).toEqual([]);
    selector.select([candidate(1, { isAssessable: false })], decisions, 1000);
    expect(ids(selector.select([candidate(1)], decisions, 2000))).toEqual([1]);
    expect(selector.select([candidate(1)], decisions, 2200)).toEqual([]);
  });

  it('treats a forgotten track as new', () => {
    const selector = make();
    const decisions = new Map([[1, CERTAIN]]);
    selector.select([candidate(1)], decisions, 0);
    expect(selector.select([candidate(1)], decisions, 200)).toEqual([]);
    selector.forget(1);
    expect(ids(selector.select([candidate(1)], decisions, 400))).toEqual([1]);
  });
});
