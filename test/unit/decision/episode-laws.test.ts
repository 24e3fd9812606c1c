import { describe, expect, it } from 'vitest';
import type { Episode, EpisodeChange } from '../../../src/domain/episode.js';
import type { MaskScores } from '../../../src/domain/label.js';
import { seededRandom } from '../tracking/make-face.js';
import {
  BARE,
  CameraScript,
  INCORRECT,
  MASKED,
  type Person,
  POLICY,
  WALL_START_MS,
} from './camera-script.js';

/** One person at a time in each of six places, who come, hide, turn, change masks and leave by chance. */
function playByChance(seed: number): CameraScript {
  const random = seededRandom(seed);
  const script = new CameraScript({
    policy: {
      ...POLICY,
      graceMs: Math.floor(random() * 3000),
      minDurationMs: Math.floor(random() * 2000),
      schedule: random() < 0.3 ? [{ days: ['mon'], from: '08:00', to: '08:02' }] : [],
    },
  });
  const people = new Map<number, Person & { scores: MaskScores }>();
  let nextId = 1;
  for (let i = 0; i < 800; i++) {
    for (let place = 0; place < 6; place++) {
      const person = people.get(place);
      if (!person) {
        if (random() < 0.05)
          people.set(place, { id: nextId++, x: 100 + 180 * place, scores: random() < 0.5 ? MASKED : BARE });
      } else if (random() < 0.01) {
        people.delete(place);
      } else if (random() < 0.02) {
        // The tracker mistakes the person for a new one.
        people.set(place, { ...person, id: nextId++ });
      } else {
        const scores = random() < 0.03 ? [MASKED, BARE, INCORRECT][Math.floor(random() * 3)]! : person.scores;
        people.set(place, { ...person, scores, isHidden: random() < 0.1, isAssessable: random() < 0.8 });
      }
    }
    const shown = [...people.values()].map(({ scores, ...person }) => ({
      ...person,
      ...(random() < 0.7 ? { scores: random() < 0.06 ? BARE : scores } : {}),
    }));
    shown.sort((a, b) => a.id - b.id);
    script.frame(shown, random() < 0.01 ? 15_000 * random() : 200);
    if (random() < 0.2) script.tick();
    if (random() < 0.005) script.wallMs += (random() - 0.5) * 7_200_000;
  }
  return script;
}

/** Checks what must hold of every sequence of changes, whatever happened before the camera. */
function checkLaws(changes: readonly EpisodeChange[]): { opened: number; updated: number } {
  const last = new Map<string, Episode>();
  const counts = { opened: 0, updated: 0 };
  for (const { change, episode } of changes) {
    const before = last.get(episode.id);
    if (change === 'opened') {
      counts.opened++;
      expect(before).toBeUndefined();
      expect(episode.version).toBe(1);
      const isTaken = [...last.values()].some(
        (other) => other.state === 'open' && other.trackId === episode.trackId,
      );
      expect(isTaken).toBe(false);
    } else {
      expect(before?.state).toBe('open');
      expect(episode.version).toBe(before!.version + 1);
      expect(episode.openedAtMs).toBe(before!.openedAtMs);
      expect(episode.zone).toBe(before!.zone);
    }
    if (change === 'updated') {
      counts.updated++;
      const isNews =
        episode.trackId !== before!.trackId ||
        episode.label !== before!.label ||
        episode.score >= before!.score + 0.04;
      expect(isNews).toBe(true);
    }
    expect(episode.state).toBe(change === 'closed' ? 'closed' : 'open');
    expect(episode.closeReason === undefined).toBe(change !== 'closed');
    if (change === 'closed') expect(episode.closedAtMs!).toBeGreaterThanOrEqual(episode.openedAtMs);
    else expect(episode.closedAtMs).toBeUndefined();
    expect(episode.score).toBeGreaterThan(0);
    expect(episode.score).toBeLessThanOrEqual(1);
    last.set(episode.id, episode);
  }
  for (const episode of last.values()) expect(episode.state).toBe('closed');
  const ids = changes.filter(({ change }) => change === 'opened').map(({ episode }) => episode.id);
  expect([...ids].sort()).toEqual(ids);
  return counts;
}

describe('episodes, whatever happens', () => {
  it('open once, count their versions up by one, and close once', () => {
    const total = { opened: 0, updated: 0 };
    for (let seed = 1; seed <= 12; seed++) {
      const script = playByChance(seed);
      const open = script.maker.openEpisodeCount;
      const final = script.maker.closeAll('shutdown', script);
      expect(final).toHaveLength(open);
      expect(script.maker.openEpisodeCount).toBe(0);
      const counts = checkLaws([...script.changes, ...final]);
      total.opened += counts.opened;
      total.updated += counts.updated;
    }
    // The chance must have done something.
    expect(total.opened).toBeGreaterThan(50);
    expect(total.updated).toBeGreaterThan(10);
  });

  it('come out the same whatever the wall clock says', () => {
    const play = (offsetMs: number) => {
      const script = new CameraScript();
      script.wallMs = WALL_START_MS + offsetMs;
      script.play([{ id: 1, scores: BARE }], 4000);
      script.play([{ id: 1, scores: MASKED }], 5000);
      return script.changes.map(({ change, episode }) => ({
        change,
        ...episode,
        id: '',
        openedAtMs: episode.openedAtMs - offsetMs,
        closedAtMs: episode.closedAtMs && episode.closedAtMs - offsetMs,
      }));
    };
    expect(play(86_400_000 * 200)).toEqual(play(0));
  });
});
