import { describe, expect, it } from 'vitest';
import { BARE, CameraScript, INCORRECT, MASKED, PERIOD_MS, POLICY, WALL_START_MS } from './camera-script.js';

const bare = (id = 1) => ({ id, scores: BARE });
const masked = (id = 1) => ({ id, scores: MASKED });
/** Seen, and not classified in this frame. */
const idle = (id = 1) => ({ id });

describe('DecisionMaker: opening', () => {
  it('opens one episode for a bare face, after the grace time', () => {
    const script = new CameraScript();
    script.play([bare()], 1800);
    expect(script.story).toEqual([]);
    script.play([bare()], 6000);
    expect(script.story[0]).toBe('opened 1');
    const { episode } = script.changes[0]!;
    expect(episode).toMatchObject({
      version: 1,
      cameraId: 'door',
      trackId: 1,
      label: 'without_mask',
      state: 'open',
    });
    expect(episode.score).toBeGreaterThan(0.9);
    expect(episode.openedAtMs - WALL_START_MS).toBeGreaterThanOrEqual(2000);
    expect(episode.openedAtMs - WALL_START_MS).toBeLessThanOrEqual(3000);
    expect(script.maker.openEpisodeCount).toBe(1);
    expect(script.story.filter((entry) => entry.startsWith('opened'))).toHaveLength(1);
  });

  it('calls it by the label that is most probable', () => {
    const script = new CameraScript();
    script.play([{ id: 1, scores: INCORRECT }], 4000);
    expect(script.changes[0]!.episode.label).toBe('mask_worn_incorrectly');
  });

  it('never opens for a masked face, nor on single bad frames among good ones', () => {
    const script = new CameraScript();
    for (let i = 0; i < 300; i++) script.frame([i % 7 === 3 ? bare() : masked()]);
    expect(script.story).toEqual([]);
  });

  it('never opens on one bad frame, even when nothing is classified after it', () => {
    const eager = { ...POLICY, minDurationMs: 0, graceMs: 0, openThreshold: 0.5, closeThreshold: 0.2 };
    const script = new CameraScript({ policy: eager });
    script.frame([{ id: 1, scores: { with_mask: 0, without_mask: 1, mask_worn_incorrectly: 0 } }]);
    script.play([idle()], 10_000);
    expect(script.story).toEqual([]);
  });

  it('opens when classifications are rare, from what they said', () => {
    const script = new CameraScript();
    script.play([bare()], 800);
    script.play([idle()], 3000);
    expect(script.story).toEqual(['opened 1']);
  });

  it('never opens for a face that cannot be judged', () => {
    const script = new CameraScript();
    script.play([bare()], 1000);
    script.play([{ id: 1, isAssessable: false }], 10_000);
    expect(script.story).toEqual([]);
  });

  it('never opens for a tried label that the policy does not name', () => {
    const script = new CameraScript({ policy: { ...POLICY, labels: ['mask_worn_incorrectly'] } });
    script.play([bare()], 10_000);
    expect(script.story).toEqual([]);
  });

  it('lets somebody who puts the mask on within the grace time pass', () => {
    const script = new CameraScript({ policy: { ...POLICY, graceMs: 5000 } });
    script.play([bare()], 4000);
    script.play([masked()], 10_000);
    expect(script.story).toEqual([]);
  });

  it('judges a face anew that was hidden for a while before it opens anything', () => {
    const script = new CameraScript();
    script.play([bare()], 1000);
    script.play([{ id: 1, isHidden: true }], 1600);
    script.play([idle()], 2000);
    expect(script.story).toEqual([]);
    script.frame([bare()]);
    expect(script.story).toEqual(['opened 1']);
  });

  it('keeps the people of one frame apart', () => {
    const script = new CameraScript();
    script.play(
      [
        { ...bare(1), x: 200 },
        { ...masked(2), x: 600 },
        { ...bare(3), x: 1000 },
      ],
      4000,
    );
    expect(script.story).toEqual(['opened 1', 'opened 3']);
    expect(new Set(script.changes.map(({ episode }) => episode.id)).size).toBe(2);
  });

  it('ignores predictions of tracks that it does not know', () => {
    const script = new CameraScript();
    script.frame([]);
    const result = script.maker.update({
      tracks: { tracks: [], endedTrackIds: [] },
      assessments: new Map(),
      predictions: [{ trackId: 99, scores: BARE, faceScore: 1, monotonicMs: 1, quality: 1 }],
      frameWidth: 1280,
      frameHeight: 720,
      monotonicMs: 6000,
      wallMs: WALL_START_MS,
    });
    expect(result).toEqual({ verdicts: new Map(), changes: [], rejectedCount: 0 });
    expect(script.maker.decisions.size).toBe(0);
  });
});

describe('DecisionMaker: what is no face', () => {
  it('is neither shown nor opens anything, and is counted once', () => {
    const script = new CameraScript();
    let rejected = 0;
    for (let i = 0; i < 25; i++) {
      const result = script.frame([{ ...bare(1), faceScore: 0.02, x: 200 }, masked(2)]);
      expect([...result.verdicts.keys()]).toEqual([2]);
      rejected += result.rejectedCount;
    }
    expect(script.story).toEqual([]);
    expect(rejected).toBe(1);
  });

  it('closes an episode that it had opened', () => {
    const script = new CameraScript();
    script.play([{ ...bare(), faceScore: 0.7 }], 5000);
    expect(script.story).toEqual(['opened 1']);
    script.play([{ ...bare(), faceScore: 0.01 }], 4000);
    expect(script.story).toEqual(['opened 1', 'closed not_a_face 1']);
  });

  it('one doubtful crop of a face changes nothing, and the veto can be switched off', () => {
    const script = new CameraScript();
    script.play([{ ...bare(), faceScore: 0.95 }], 1000);
    script.frame([{ ...bare(), faceScore: 0 }]);
    script.play([{ ...bare(), faceScore: 0.95 }], 4000);
    expect(script.story).toEqual(['opened 1']);
    const open = new CameraScript({ minFaceScore: 0 });
    open.play([{ ...bare(), faceScore: 0 }], 5000);
    expect(open.story).toEqual(['opened 1']);
  });
});

describe('DecisionMaker: complying', () => {
  it('closes after the mask went on and stayed on for the grace time', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    const maskOnMs = script.wallMs;
    script.play([masked()], 6000);
    expect(script.story.at(-1)).toBe('closed complied 1');
    const { episode } = script.changes.at(-1)!;
    expect(episode.state).toBe('closed');
    expect(episode.closedAtMs! - maskOnMs).toBeGreaterThanOrEqual(2000);
    expect(episode.closedAtMs! - maskOnMs).toBeLessThanOrEqual(3500);
    expect(script.maker.openEpisodeCount).toBe(0);
  });

  it('stays one episode over dips of the score', () => {
    const script = new CameraScript();
    for (let i = 0; i < 400; i++) script.frame([i > 20 && i % 11 < 4 ? masked() : bare()]);
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual(['opened 1']);
  });

  it('does not close on one good frame, even when nothing is classified after it', () => {
    const script = new CameraScript({ policy: { ...POLICY, closeThreshold: 0.79 } });
    script.play([bare()], 5000);
    script.frame([{ id: 1, scores: { with_mask: 1, without_mask: 0, mask_worn_incorrectly: 0 } }]);
    script.play([idle()], 20_000);
    expect(script.story).toEqual(['opened 1']);
  });

  it('does not close while the face cannot be judged', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    script.play([{ id: 1, isAssessable: false }], 30_000);
    expect(script.story).toEqual(['opened 1']);
  });

  it('opens a second episode when the mask comes off again, after as long as the first time', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    script.play([masked()], 6000);
    const offMs = script.wallMs;
    script.play([bare()], 6000);
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual([
      'opened 1',
      'closed complied 1',
      'opened 1',
    ]);
    const [first, second] = script.changes.filter(({ change }) => change === 'opened');
    expect(second!.episode.id > first!.episode.id).toBe(true);
    expect(second!.episode.openedAtMs - offMs).toBeGreaterThanOrEqual(2000);
  });
});

describe('DecisionMaker: leaving', () => {
  it('closes as left once the face is gone for the grace time and its track has ended', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    script.play([{ id: 1, isHidden: true }], 2400);
    expect(script.story).toEqual(['opened 1']);
    script.frame([]);
    expect(script.story).toEqual(['opened 1', 'closed left 1']);
  });

  it('outlives the track by the grace time', () => {
    const script = new CameraScript({ policy: { ...POLICY, graceMs: 4000 } });
    script.play([bare()], 8000);
    script.play([], 3800);
    expect(script.story).toEqual(['opened 1']);
    script.frame([]);
    expect(script.story).toEqual(['opened 1', 'closed left 1']);
  });

  it('goes on when the tracker finds the face again', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    for (let i = 0; i < 10; i++) {
      script.play([{ id: 1, isHidden: true }], 1600);
      script.play([bare()], 1000);
    }
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual(['opened 1']);
  });

  it('does not count time without frames as absence', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    script.frame([{ id: 1, isHidden: true }], 6000);
    script.frame([]);
    expect(script.story).toEqual(['opened 1']);
  });

  it('passes the episode on to a new track at the same place', () => {
    const script = new CameraScript();
    script.play([bare(1)], 5000);
    script.play([{ id: 1, isHidden: true }], 600);
    script.play(
      [
        { id: 1, isHidden: true },
        { ...bare(2), x: 690 },
      ],
      1200,
    );
    script.play([{ ...bare(2), x: 690 }], 10_000);
    expect(script.story.filter((entry) => entry !== 'updated 2')).toEqual(['opened 1']);
    expect(script.changes[1]).toMatchObject({
      change: 'updated',
      episode: { version: 2, trackId: 2, state: 'open' },
    });
    expect(new Set(script.changes.map(({ episode }) => episode.id)).size).toBe(1);
  });

  it('waits for a new face at the same place to be judged', () => {
    const script = new CameraScript();
    script.play([bare(1)], 5000);
    script.play([], 1800);
    script.play([idle(2)], 800);
    script.play([bare(2)], 5000);
    expect(script.story.filter((entry) => entry !== 'updated 2')).toEqual(['opened 1']);
  });

  it('does not wait for ever', () => {
    const script = new CameraScript();
    script.play([bare(1)], 5000);
    script.play([], 1800);
    script.play([idle(2)], 5000);
    expect(script.story).toEqual(['opened 1', 'closed left 1']);
  });

  it.each([
    ['masked', { ...masked(2) }],
    ['far away', { ...bare(2), x: 1200 }],
    ['of another size', { ...bare(2), width: 150 }],
  ])('does not pass it on to a new face that is %s', (_name, other) => {
    const script = new CameraScript();
    script.play([bare(1)], 5000);
    script.play([], 400);
    script.play([other], 4000);
    expect(script.story).toContain('closed left 1');
    expect(script.story).not.toContain('updated 2');
  });

  it('does not pass it on to somebody who was already there', () => {
    const script = new CameraScript();
    script.play([bare(1), { ...bare(2), x: 700, isAssessable: false }], 400);
    script.play([bare(1), { id: 2, x: 700 }], 5000);
    script.play([{ id: 2, x: 690, scores: BARE }], 3000);
    expect(script.story).toContain('closed left 1');
    const trackIds = new Map(script.changes.map(({ episode }) => [episode.id, episode.trackId]));
    for (const { episode } of script.changes) expect(trackIds.get(episode.id)).toBe(episode.trackId);
  });
});

describe('DecisionMaker: camera, schedule and zones', () => {
  it('closes as camera lost when no frames come, once', () => {
    const script = new CameraScript({ cameraLostMs: 8000 });
    script.play([bare()], 5000);
    script.wait(7900);
    expect(script.tick()).toEqual([]);
    script.wait(100);
    expect(script.tick()).toMatchObject([{ change: 'closed', episode: { closeReason: 'camera_lost' } }]);
    script.wait(60_000);
    expect(script.tick()).toEqual([]);
    script.play([bare(7)], 5000);
    expect(script.story).toEqual(['opened 1', 'closed camera_lost 1', 'opened 7']);
  });

  it('says camera lost also when nobody called tick in the gap', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    script.frame([bare(2)], 30_000);
    expect(script.story).toEqual(['opened 1', 'closed camera_lost 1']);
  });

  it('closes with the end of the schedule, opens nothing outside, and counts anew when it begins', () => {
    const schedule = [{ days: ['mon'] as const, from: '08:00', to: '08:01' }];
    const script = new CameraScript({ policy: { ...POLICY, schedule } });
    script.play([bare()], 70_000);
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual([
      'opened 1',
      'closed policy_ended 1',
    ]);
    const { episode } = script.changes.at(-1)!;
    expect(Math.abs(episode.closedAtMs! - (WALL_START_MS + 60_000))).toBeLessThanOrEqual(PERIOD_MS);

    const early = new CameraScript({
      policy: { ...POLICY, schedule: [{ days: ['mon'], from: '08:01', to: '09:00' }] },
    });
    early.play([bare()], 59_000);
    expect(early.story).toEqual([]);
    early.play([bare()], 10_000);
    // The period begins between two frames.
    expect(early.changes[0]!.episode.openedAtMs - WALL_START_MS).toBeGreaterThanOrEqual(62_000 - PERIOD_MS);
    expect(early.changes[0]!.episode.openedAtMs - WALL_START_MS).toBeLessThanOrEqual(62_400);
  });

  it('closes with the schedule’s end by a tick, without frames', () => {
    const schedule = [{ days: ['mon'] as const, from: '08:00', to: '08:01' }];
    const script = new CameraScript({ policy: { ...POLICY, schedule }, cameraLostMs: 600_000 });
    script.play([bare()], 5000);
    script.wait(60_000);
    expect(script.tick()).toMatchObject([{ episode: { closeReason: 'policy_ended' } }]);
  });

  const entrance = {
    id: 'entrance',
    isExempt: false,
    polygon: [
      [0, 0],
      [0.5, 0],
      [0.5, 1],
      [0, 1],
    ],
  } as const;

  it('opens inside a zone only, names it, and closes as left when the person walks out of it', () => {
    const script = new CameraScript({ policy: { ...POLICY, zones: [entrance] } });
    script.play([{ ...bare(), x: 900 }], 6000);
    expect(script.story).toEqual([]);
    script.play([{ ...bare(), x: 300 }], 4000);
    expect(script.changes[0]).toMatchObject({ change: 'opened', episode: { zone: 'entrance' } });
    script.play([{ ...bare(), x: 900 }], 1800);
    script.play([{ ...bare(), x: 300 }], 400);
    script.play([{ ...bare(), x: 900 }], 6000);
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual([
      'opened 1',
      'closed left 1',
    ]);
  });

  it('counts the grace time from entering the zone', () => {
    const script = new CameraScript({ policy: { ...POLICY, zones: [entrance] } });
    script.play([{ ...bare(), x: 900 }], 6000);
    const enteredMs = script.wallMs;
    script.play([{ ...bare(), x: 300 }], 4000);
    expect(script.changes[0]!.episode.openedAtMs - enteredMs).toBeGreaterThanOrEqual(2000);
  });

  it('opens nothing in an exempt zone', () => {
    const script = new CameraScript({
      policy: { ...POLICY, zones: [{ ...entrance, isExempt: true }] },
    });
    script.play(
      [
        { ...bare(1), x: 300 },
        { ...bare(2), x: 900 },
      ],
      6000,
    );
    expect(script.story.filter((entry) => !entry.startsWith('updated'))).toEqual(['opened 2']);
    expect(script.changes[0]!.episode.zone).toBeUndefined();
  });

  it('ends what a new policy no longer forbids, with the next tick, and nothing else', () => {
    const script = new CameraScript();
    script.play(
      [
        { ...bare(1), x: 300 },
        { id: 2, scores: INCORRECT, x: 900 },
      ],
      5000,
    );
    script.maker.setPolicy({ ...POLICY, labels: ['without_mask'] });
    expect(script.tick()).toMatchObject([{ episode: { closeReason: 'policy_ended', trackId: 2 } }]);
    script.play(
      [
        { ...bare(1), x: 300 },
        { id: 2, scores: INCORRECT, x: 900 },
      ],
      5000,
    );
    expect(script.maker.openEpisodeCount).toBe(1);
    script.maker.setPolicy({ ...POLICY, zones: [{ ...entrance, isExempt: true }] });
    script.frame([{ ...bare(1), x: 300 }]);
    expect(script.story.at(-1)).toBe('closed policy_ended 1');
  });

  it('opens under a new policy for what it had seen before, once its time has passed', () => {
    const script = new CameraScript({ policy: { ...POLICY, labels: ['mask_worn_incorrectly'] } });
    script.play([bare()], 5000);
    script.maker.setPolicy(POLICY);
    script.play([idle()], 1800);
    expect(script.story).toEqual([]);
    script.play([idle()], 1000);
    expect(script.story).toEqual(['opened 1']);
  });

  it('closes all on demand and starts afresh', () => {
    const script = new CameraScript();
    script.play(
      [
        { ...bare(1), x: 300 },
        { ...bare(2), x: 900 },
      ],
      5000,
    );
    const changes = script.maker.closeAll('shutdown', script);
    expect(changes.map(({ episode }) => [episode.trackId, episode.closeReason])).toEqual([
      [1, 'shutdown'],
      [2, 'shutdown'],
    ]);
    expect(script.maker.closeAll('shutdown', script)).toEqual([]);
    expect(script.maker.decisions.size).toBe(0);
  });
});

describe('DecisionMaker: updates', () => {
  it('tells another label, and a clearly higher score, not oftener than every five seconds', () => {
    const script = new CameraScript();
    script.play([bare()], 6000);
    for (let i = 0; i < 10; i++) {
      script.play([{ id: 1, scores: INCORRECT }], 7000);
      script.play([bare()], 7000);
    }
    const versions = script.changes.map(({ episode }) => episode.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(script.changes.length).toBeGreaterThan(5);
    const gaps = script.changeTimesMs.slice(1).map((ms, index) => ms - script.changeTimesMs[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5000);
    expect(new Set(script.changes.map(({ episode }) => episode.label)).size).toBe(2);
  });

  it('is not renamed by a mask that looks worn wrong on its way up', () => {
    const script = new CameraScript();
    script.play([bare()], 8000);
    script.play([{ id: 1, scores: INCORRECT }], 2000);
    script.play([{ id: 1, scores: MASKED }], 8000);
    expect(script.changes.at(-1)).toMatchObject({ change: 'closed', episode: { closeReason: 'complied' } });
    for (const { episode } of script.changes) expect(episode.label).toBe('without_mask');
  });

  it('keeps its label while two labels are about as probable', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    for (let i = 0; i < 600; i++) {
      const [one, other] = i % 2 ? [0.46, 0.52] : [0.52, 0.46];
      const scores = { with_mask: 0.02, without_mask: one, mask_worn_incorrectly: other };
      script.frame([{ id: 1, scores }]);
    }
    expect(script.maker.decisions.get(1)!.scores.mask_worn_incorrectly).toBeGreaterThan(0.45);
    for (const { episode } of script.changes) expect(episode.label).toBe('without_mask');
    expect(script.maker.openEpisodeCount).toBe(1);
  });

  it('tells nothing while nothing changes', () => {
    const script = new CameraScript();
    script.play([bare()], 120_000);
    expect(script.changes.length).toBeLessThanOrEqual(2);
  });

  it('keeps the highest score, whatever comes after', () => {
    const script = new CameraScript();
    script.play([bare()], 5000);
    script.play([{ id: 1, scores: { with_mask: 0.45, without_mask: 0.55, mask_worn_incorrectly: 0 } }], 5000);
    script.maker.closeAll('shutdown', script).forEach(({ episode }) => {
      expect(episode.score).toBeGreaterThan(0.97);
    });
  });
});

describe('DecisionMaker: clocks', () => {
  it.each([3_600_000, -3_600_000])('takes a jump of the wall clock by %s ms without a change', (jumpMs) => {
    const [steady, jumping] = [new CameraScript(), new CameraScript()];
    for (const script of [steady, jumping]) {
      script.play([bare()], 5000);
      if (script === jumping) script.wallMs += jumpMs;
      script.play([bare()], 1000);
      script.play([masked()], 6000);
    }
    expect(jumping.story).toEqual(steady.story);
    const duration = ({ changes }: CameraScript) =>
      changes.at(-1)!.episode.closedAtMs! - changes[0]!.episode.openedAtMs;
    expect(duration(jumping)).toBe(duration(steady));
    expect(duration(jumping)).toBeGreaterThan(0);
  });

  it('keeps ids in the order of opening when the clock is set back', () => {
    const script = new CameraScript();
    script.play([bare(1)], 5000);
    script.play([], 4000);
    script.wallMs -= 3_600_000;
    script.play([bare(2)], 5000);
    const ids = script.changes.filter(({ change }) => change === 'opened').map(({ episode }) => episode.id);
    expect(ids).toHaveLength(2);
    expect([...ids].sort()).toEqual(ids);
  });
});

describe('DecisionMaker: verdicts', () => {
  it('says what is known of each face that is seen, and nothing of hidden ones', () => {
    const script = new CameraScript();
    script.play(
      [
        { ...bare(1), x: 200 },
        { ...masked(2), x: 600 },
        { id: 3, x: 1000, isAssessable: false },
      ],
      1000,
    );
    const { verdicts } = script.frame([
      { ...bare(1), x: 200 },
      { ...masked(2), x: 600, isHidden: true },
      { id: 3, x: 1000, isAssessable: false },
    ]);
    expect([...verdicts.keys()]).toEqual([1, 3]);
    expect(verdicts.get(1)).toMatchObject({
      outcome: 'without_mask',
      detectionScore: 0.9,
      decision: { outcome: 'without_mask' },
    });
    expect(verdicts.get(1)!.reason).toBeUndefined();
    expect(verdicts.get(3)).toMatchObject({ outcome: 'not_assessable', reason: 'blurred' });
    expect(verdicts.get(3)!.decision).toBeUndefined();
    const { with_mask, without_mask, mask_worn_incorrectly } = verdicts.get(3)!.scores;
    expect(with_mask + without_mask + mask_worn_incorrectly).toBeCloseTo(1, 9);
  });

  it('says low certainty while undecided', () => {
    const { verdicts } = new CameraScript().frame([bare()]);
    expect(verdicts.get(1)).toMatchObject({ outcome: 'not_assessable', reason: 'low_certainty' });
  });

  it('lets a decision stand while the face is blurred for a moment, not for long', () => {
    const script = new CameraScript();
    script.play([bare()], 2000);
    const outcomeAfter = (durationMs: number) => {
      script.play([{ id: 1, isAssessable: false }], durationMs);
      return script.frame([{ id: 1, isAssessable: false }]).verdicts.get(1)!;
    };
    expect(outcomeAfter(2000)).toMatchObject({ outcome: 'without_mask' });
    expect(outcomeAfter(4000)).toMatchObject({ outcome: 'not_assessable', reason: 'blurred' });
  });

  it('offers the decisions of living tracks to the crop selector', () => {
    const script = new CameraScript();
    script.play(
      [
        { ...bare(1), x: 200 },
        { ...masked(2), x: 600 },
        { id: 3, x: 1000 },
      ],
      1000,
    );
    expect([...script.maker.decisions.entries()].map(([id, { outcome }]) => [id, outcome])).toEqual([
      [1, 'without_mask'],
      [2, 'with_mask'],
    ]);
    script.frame([{ ...masked(2), x: 600 }]);
    expect([...script.maker.decisions.keys()]).toEqual([2]);
  });
});
