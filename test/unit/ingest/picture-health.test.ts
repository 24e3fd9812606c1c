import { describe, expect, it } from 'vitest';
import type { CameraCondition } from '../../../src/domain/camera.js';
import type { PictureStatistics } from '../../../src/domain/picture.js';
import type { CameraClock } from '../../../src/ingest/clock-watch.js';
import { PictureHealth, type PictureHealthOptions } from '../../../src/ingest/picture-health.js';
import { anyStatistics, type Paint, roomPaint, statisticsOf } from '../../support/made-pictures.js';

const WALL_START_MS = 1_700_000_000_000;
const SMALL = { width: 160, height: 90 };

/** Some pictures of one scene, with other noise each. */
function pictures(paint: Paint, count = 3): PictureStatistics[] {
  return Array.from({ length: count }, (_, index) => statisticsOf(paint, { seed: 11 + 2 * index, ...SMALL }));
}

/** A room of 320 × 180 points, seen in a picture half as large. */
const room = (options: Parameters<typeof roomPaint>[0] = {}): Paint => {
  const paint = roomPaint(options);
  return (x, y, random) => paint(x * 2, y * 2, random);
};
const ROOM = pictures(room());
const plain = (level: number, noise: number): Paint => {
  return (_x, _y, random) => {
    const value = level + (random() - 0.5) * 2 * noise;
    return [value, value, value];
  };
};

class Rig {
  readonly health: PictureHealth;
  /** Changes with the second of their telling. */
  readonly told: [number, CameraCondition, 'on' | 'off'][] = [];
  #frames = 0;
  readonly #rateFps: number;

  constructor(options: Partial<PictureHealthOptions> & { rateFps?: number } = {}) {
    this.#rateFps = options.rateFps ?? 5;
    this.health = new PictureHealth({
      ...{ frozenMs: 10_000, blindMs: 3000, sceneMs: 10_000, acceptMs: 60_000, clockSkewMs: 5000 },
      periodMs: 1000 / this.#rateFps,
      ...options,
    });
  }

  get seconds(): number {
    return this.#frames / this.#rateFps;
  }

  at() {
    const ms = this.seconds * 1000;
    return { monotonicMs: ms, wallMs: WALL_START_MS + ms };
  }

  play(some: readonly PictureStatistics[], seconds: number): this {
    for (const end = this.seconds + seconds; this.seconds < end - 1e-9; this.#frames++) {
      const changes = this.health.observe(some[this.#frames % some.length]!, this.at());
      for (const { condition, isOn } of changes)
        this.told.push([Math.round(this.seconds), condition, isOn ? 'on' : 'off']);
    }
    return this;
  }

  conditions(): CameraCondition[] {
    return this.health.conditions.map(({ condition }) => condition);
  }
}

describe('picture health says nothing', () => {
  const harmless: [string, PictureStatistics[]][] = [
    ['of a room', ROOM],
    ['of a white wall', pictures(plain(232, 3))],
    ['of a grey wall', pictures(plain(128, 3))],
    [
      'of a dark street with a lamp',
      pictures((x, y, r) => (x < 20 && y < 20 ? [220, 210, 180] : plain(6, 6)(x, y, r))),
    ],
    ['of a dim room full of noise', pictures(room({ light: 0.15, noise: 14 }))],
    ['of a green wall', pictures((_x, _y, random) => [30, 130 + random() * 8, 40])],
  ];
  it.each(harmless)('%s, however long it lasts', (_name, some) => {
    expect(new Rig().play(some, 300).told).toEqual([]);
  });

  it.each([
    ['light goes down to a fifth', { light: 0.2 }],
    ['light goes up', { light: 1.25 }],
    ['noise comes', { noise: 25, light: 0.4 }],
  ])('while %s', (_name, change) => {
    expect(
      new Rig()
        .play(ROOM, 40)
        .play(pictures(room(change)), 120)
        .play(ROOM, 40).told,
    ).toEqual([]);
  });

  it('when somebody stands before the camera for a while', () => {
    const seen = room();
    const crowd = pictures((x, y, random) =>
      x > 20 && x < 70 && y > 15 ? [70, 60, 55] : seen(x, y, random),
    );
    expect(new Rig().play(ROOM, 40).play(crowd, 60).play(ROOM, 30).told).toEqual([]);
  });

  it('of a camera that never holds still', () => {
    const rig = new Rig();
    for (let offsetX = 0; offsetX < 300; offsetX += 30) rig.play(pictures(room({ offsetX }), 2), 6);
    expect(rig.told).toEqual([]);
  });
});

describe('picture health tells', () => {
  const faults: [CameraCondition, PictureStatistics[], number][] = [
    ['black', pictures(plain(8, 6)), 3],
    ['overexposed', pictures(plain(253, 4)), 3],
    ['covered', pictures((x, y, r) => plain(60 + x / 10 + y / 20, 3)(x, y, r)), 3],
    ['corrupted', pictures((x, y, r) => (y > 45 ? [0, 135, 0] : room()(x, y, r))), 2],
    ['out_of_focus', pictures(room({ blurPx: 14, noise: 2 })), 10],
    ['moved', pictures(room({ offsetX: 90 })), 13],
  ];
  it.each(faults)('%s, and when it is over', (condition, faulty, dueSeconds) => {
    const rig = new Rig().play(ROOM, 40).play(faulty, 40);
    expect(rig.conditions()).toEqual([condition]);
    const [[onSeconds] = [0]] = rig.told;
    expect(onSeconds).toBeGreaterThanOrEqual(40 + dueSeconds - 2);
    expect(onSeconds).toBeLessThanOrEqual(40 + dueSeconds + 2);
    // As it began, not as it was told.
    const [active] = rig.health.conditions;
    expect(active!.sinceMs).toBeLessThanOrEqual(WALL_START_MS + 44_000);
    expect(rig.health.isBlind).toBe(!['out_of_focus', 'moved'].includes(condition));
    rig.play(ROOM, 25);
    expect(rig.told.map(([, name, change]) => [name, change])).toEqual([
      [condition, 'on'],
      [condition, 'off'],
    ]);
    expect(rig.health.isBlind).toBe(false);
  });

  it.each(['covered', 'out_of_focus'])('%s for as long as it lasts: it never becomes usual', (name) => {
    const [, faulty] = faults.find(([condition]) => condition === name)!;
    const rig = new Rig().play(ROOM, 40).play(faulty, 3600);
    expect(rig.conditions()).toEqual([name]);
    expect(rig.told).toHaveLength(1);
  });

  it('nothing that an option leaves out', () => {
    const rig = new Rig({ ignored: ['black', 'frozen'] }).play(ROOM, 30);
    expect(rig.play(pictures(plain(8, 6), 1), 40).told).toEqual([]);
    expect(rig.health.isBlind).toBe(false);
  });

  it('nothing of a single bad picture', () => {
    const rig = new Rig().play(ROOM, 30);
    for (let index = 0; index < 20; index++) rig.play(pictures(plain(5, 2), 1), 0.2).play(ROOM, 4);
    expect(rig.told).toEqual([]);
  });

  it('a covered lens that was never seen uncovered is a plain picture: nothing is told of it', () => {
    expect(new Rig().play(pictures(plain(60, 3)), 120).told).toEqual([]);
  });

  it('moved until the new scene is the usual one, and learns that one', () => {
    const elsewhere = pictures(room({ offsetX: 90 }));
    const rig = new Rig().play(ROOM, 40).play(elsewhere, 90);
    expect(rig.told.map(([, name, change]) => [name, change])).toEqual([
      ['moved', 'on'],
      ['moved', 'off'],
    ]);
    expect(rig.told[1]![0]).toBeGreaterThanOrEqual(100);
    expect(rig.play(elsewhere, 60).play(ROOM, 30).conditions()).toEqual(['moved']);
  });

  it('moved of a camera that was turned while it was away', () => {
    const rig = new Rig().play(ROOM, 40);
    expect(rig.health.interrupt()).toEqual([]);
    expect(rig.play(pictures(room({ offsetX: 90 })), 20).conditions()).toEqual(['moved']);
    expect(rig.health.interrupt()).toMatchObject([{ condition: 'moved', isOn: false }]);
    expect(rig.conditions()).toEqual([]);
  });

  it('what was made up by the decoder, if it is much and comes again', () => {
    const rig = new Rig().play(ROOM, 20);
    rig.health.damaged(0.04, rig.at().monotonicMs);
    rig.play(ROOM, 2);
    rig.health.damaged(0.5, rig.at().monotonicMs);
    rig.play(ROOM, 20);
    expect(rig.told).toEqual([]);
    for (let index = 0; index < 3; index++) {
      rig.health.damaged(0.5, rig.at().monotonicMs);
      rig.play(ROOM, 1.4);
    }
    expect(rig.conditions()).toEqual(['corrupted']);
    expect(rig.play(ROOM, 12).conditions()).toEqual([]);
  });

  it('nothing of what decoders say as they join a stream', () => {
    const rig = new Rig();
    for (let index = 0; index < 8; index++) {
      rig.health.damaged(1, rig.at().monotonicMs);
      rig.play(ROOM, 1);
    }
    expect(rig.play(ROOM, 10).told).toEqual([]);
  });
});

describe('a frozen picture', () => {
  const one = [ROOM[0]!];
  /** The same picture, whose points are off by one here and there: by so much in the mean. */
  const encodedAgain = (difference: number): PictureStatistics => {
    const points = ROOM[0]!.points.map((point, index) => point + (index % 100 < difference * 100 ? 1 : 0));
    return { ...ROOM[0]!, points };
  };

  it('is told once it has stood still for long enough, and at once that it moves again', () => {
    const rig = new Rig().play(ROOM, 30).play(one, 20);
    expect(rig.told).toEqual([[40, 'frozen', 'on']]);
    expect(rig.health.conditions[0]!.sinceMs).toBeLessThanOrEqual(WALL_START_MS + 30_000);
    expect(rig.health.isBlind).toBe(true);
    rig.play(pictures(room({ offsetX: 5 })), 3);
    expect(rig.told.at(-1)).toEqual([50, 'frozen', 'off']);
  });

  it('is told from the first picture on, too', () => {
    expect(new Rig().play(one, 15).told).toEqual([[10, 'frozen', 'on']]);
  });

  it('stays frozen though its encoder begins each group with a slightly different picture', () => {
    const rig = new Rig().play(ROOM, 20);
    for (let group = 0; group < 20; group++) rig.play([encodedAgain(0.15)], 0.2).play(one, 1.8);
    expect(rig.told).toMatchObject([[30, 'frozen', 'on']]);
    for (let group = 0; group < 20; group++) rig.play([encodedAgain(0.25)], 0.2).play(one, 1.8);
    expect(rig.told).toHaveLength(1);
  });

  it('is not an empty corridor whose encoder skips what does not change, as long as keyframes bring new noise', () => {
    const rig = new Rig();
    for (let group = 0; group < 60; group++) rig.play([encodedAgain(group % 2 === 0 ? 0 : 0.32)], 4);
    expect(rig.told).toEqual([]);
  });

  it('is not a clip in a loop', () => {
    expect(new Rig().play(ROOM, 200).told).toEqual([]);
  });

  it('is not told of what cannot show noise: a picture at the ends of the scale', () => {
    const ends = anyStatistics({ points: new Uint8Array(2304).map((_, index) => (index % 2) * 255) });
    expect(new Rig().play([ends], 60).told).toEqual([]);
  });

  it('takes as long as the stream has pauses: one new picture in eight seconds is not frozen', () => {
    const rig = new Rig();
    for (let index = 0; index < 10; index++) rig.play([ROOM[index % 3]!], 8);
    rig.play([ROOM[1]!], 18);
    expect(rig.told).toEqual([]);
    rig.play([ROOM[1]!], 4);
    expect(rig.conditions()).toEqual(['frozen']);
  });

  it('is told of a camera that is looked at once in four seconds', () => {
    const rig = new Rig({ rateFps: 0.25 }).play(ROOM, 60).play(one, 40);
    expect(rig.conditions()).toEqual(['frozen']);
    expect(rig.play(pictures(room({ offsetX: 5 })), 12).conditions()).toEqual([]);
  });

  it('is not told as moved as well, whatever it froze on', () => {
    const elsewhere = pictures(room({ offsetX: 90 }), 1);
    expect(new Rig().play(ROOM, 40).play(elsewhere, 60).told).toEqual([[50, 'frozen', 'on']]);
  });

  it('of black is black, and no more', () => {
    const black = anyStatistics({ highLuma: 2, meanLuma: 0 });
    const rig = new Rig().play([black], 60);
    expect(rig.conditions()).toEqual(['black']);
    expect(rig.told).toHaveLength(1);
  });
});

describe('a camera’s clock', () => {
  const RIGHT = { skewMs: 0, driftPpm: 40, jumps: 0 };
  const feed = (rig: Rig, clock: Partial<CameraClock>, from: number, seconds: number) =>
    Array.from({ length: seconds }, (_, index) =>
      rig.health.observeClock(
        { ...RIGHT, ...clock },
        { monotonicMs: (from + index) * 1000, wallMs: WALL_START_MS + (from + index) * 1000 },
      ),
    ).flat();
  const on = [{ condition: 'wrong_clock', isOn: true }];
  const off = [{ condition: 'wrong_clock', isOn: false }];

  it('is wrong when it is seconds off, ahead or behind, and right again', () => {
    for (const sign of [1, -1]) {
      const rig = new Rig();
      expect(feed(rig, { skewMs: sign * 4000 }, 0, 60)).toEqual([]);
      expect(feed(rig, { skewMs: sign * 7_200_000 }, 60, 20)).toMatchObject(on);
      expect(rig.health.isBlind).toBe(false);
      expect(feed(rig, { skewMs: sign * 4000 }, 80, 60)).toEqual([]);
      expect(feed(rig, { skewMs: sign * 500 }, 140, 20)).toMatchObject(off);
    }
  });

  it('is wrong when it runs as no quartz does', () => {
    const rig = new Rig();
    expect(feed(rig, { skewMs: null, driftPpm: null }, 0, 60)).toEqual([]);
    expect(feed(rig, { driftPpm: -8000 }, 60, 20)).toMatchObject(on);
    expect(feed(rig, { driftPpm: 100 }, 80, 20)).toMatchObject(off);
  });

  it('is wrong when it leaps again and again, not when it was set once', () => {
    const rig = new Rig();
    feed(rig, { jumps: 7 }, 0, 10);
    expect(feed(rig, { jumps: 8 }, 10, 100)).toEqual([]);
    feed(rig, { jumps: 9 }, 110, 10);
    expect(feed(rig, { jumps: 10 }, 120, 20)).toMatchObject(on);
    expect(feed(rig, { jumps: 10 }, 140, 400)).toMatchObject(off);
  });
});
