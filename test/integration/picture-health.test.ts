import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  MADE_FAULTS,
  type MadeFault,
  makeBase,
  makeFault,
} from '../../scripts/measure-picture-health/made-footage.js';
import { watchClip } from '../../scripts/measure-picture-health/watch-clip.js';
import { footageFile } from '../../src/demo/demo-cameras.js';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import type { CameraCondition } from '../../src/domain/camera.js';
import type { Frame } from '../../src/domain/frame.js';
import { livingChildPids } from '../../src/ingest/child-processes.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { PictureHealth } from '../../src/ingest/picture-health.js';
import { PictureSampler } from '../../src/ingest/picture-statistics.js';
import { FFMPEGS, npmFfmpeg } from '../support/ingest-clips.js';
import { WatchedCamera } from '../support/watched-camera.js';

/** Short, so that each fault comes round twice while the test waits. */
const TIMES = { beforeSeconds: 10, faultSeconds: 8, afterSeconds: 2 } as const;
const HEALTH = {
  ...{ frozenMs: 3000, blindMs: 1000, sceneMs: 1500, acceptMs: 600_000, clockSkewMs: 5000 },
  ...{ periodMs: 200, learnMs: 4000 },
};
/** One of each condition, and pictures that nothing is wrong with. */
const NAMES = [
  'frozen, sent again',
  'lens cap',
  'blinded by a lamp',
  'hand before the lens',
  'spray on the dome',
  'upside down',
  'half of it green',
  'smeared columns',
  'light turned down to a third',
  'noisy night',
];
const FAULTS = NAMES.map((name) => faultNamed(name));

let folder: string;
let base: string;
let server: RtspServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-health-'));
  const { path: ffmpegPath } = await npmFfmpeg();
  base = join(folder, 'base.mp4');
  await makeBase(ffmpegPath, footageFile('reception'), 20, base);
  const streams: { path: string; file: string }[] = [];
  for (const [index, fault] of FAULTS.entries()) {
    const file = join(folder, `${index}.mp4`);
    await makeFault(ffmpegPath, base, { fault, times: TIMES, path: file });
    streams.push({ path: `/${index}`, file });
  }
  server = await RtspServer.open({ ffmpegPath, streams });
}, 120_000);
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
  expect(livingChildPids()).toEqual([]);
});

/** Watches a stream's pictures as the service does. */
class Watcher {
  readonly told: string[] = [];
  readonly camera: WatchedCamera;
  readonly #health = new PictureHealth(HEALTH);
  readonly #sampler = new PictureSampler();

  constructor(url: string, binary: Awaited<ReturnType<typeof npmFfmpeg>>) {
    const analysis = { rateFps: 5, widthPx: 640, heightPx: 360 };
    this.camera = new WatchedCamera({ url, binary, analysis, onFrame: (frame) => this.#take(frame) });
  }

  #take(frame: Frame): void {
    const { buffer, byteOffset, width, height, contentWidth, contentHeight } = frame.pixels;
    const data = new Uint8Array(buffer, byteOffset, width * height * 3);
    const picture = this.#sampler.measure({ data, width, height, contentWidth, contentHeight });
    if (!picture) throw new Error('no statistics');
    const at = { monotonicMs: frame.monotonicMs, wallMs: frame.capturedAtMs };
    for (const { condition, isOn } of this.#health.observe(picture, at))
      this.told.push(`${condition} ${isOn ? 'on' : 'off'}`);
  }
}

describe('a real camera by RTSP', () => {
  it('whose picture gets each fault in turn is told so, and told right again; without a fault nothing is told', async () => {
    const binary = await npmFfmpeg();
    const watchers = FAULTS.map((fault, index) => ({
      fault,
      watcher: new Watcher(server.url(`/${index}`), binary),
    }));
    try {
      for (const { watcher } of watchers) watcher.camera.start();
      await Promise.all(
        watchers.map(async ({ fault: { name, expects }, watcher }) => {
          const isOver = () =>
            expects === null
              ? watcher.camera.frameIds.length >= 5 * 45
              : watcher.told.filter((entry) => entry === `${expects} off`).length >= 1;
          await watcher.camera.until(isOver, `${expects} of "${name}", told ${watcher.told.join()}`, 150_000);
        }),
      );
      for (const { fault, watcher } of watchers) {
        const wanted = fault.expects === null ? [] : [`${fault.expects} on`, `${fault.expects} off`];
        expect({ name: fault.name, told: [...new Set(watcher.told)] }).toEqual({
          name: fault.name,
          told: wanted,
        });
      }
    } finally {
      await Promise.all(watchers.map(({ watcher }) => watcher.camera.stop()));
    }
  }, 180_000);
});

describe.each(FFMPEGS)('lost data through the $name', ({ path: ffmpegPath, isPresent }) => {
  it.skipIf(!isPresent)(
    'is told as a corrupted picture by what the decoder had to make up',
    async () => {
      const path = join(folder, `lost-${ffmpegPath === undefined ? 'npm' : 'system'}.ts`);
      const times = { beforeSeconds: 14, faultSeconds: 10, afterSeconds: 4 };
      const long = join(folder, 'long.mp4');
      await makeBase((await npmFfmpeg()).path, footageFile('reception'), 30, long);
      const fault = faultNamed('lost data');
      await makeFault((await npmFfmpeg()).path, long, { fault, times, path });
      const binary = await findFfmpeg({ path: ffmpegPath });
      const { told } = await watchClip(path, { binary, rateFps: 5, health: HEALTH });
      const conditions: CameraCondition[] = told.map(({ condition }) => condition);
      expect(conditions).toContain('corrupted');
      expect(told.find(({ condition }) => condition === 'corrupted')?.fromSeconds).toBeGreaterThan(12);
    },
    60_000,
  );
});

function faultNamed(name: string): MadeFault {
  const fault = MADE_FAULTS.find((candidate) => candidate.name.startsWith(name));
  if (!fault) throw new Error(`no made fault is named ${name}`);
  return fault;
}
