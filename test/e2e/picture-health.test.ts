import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_PATH, launchBrowser } from '../../scripts/measure-boxes/canvas-reader.js';
import { MADE_FAULTS, makeBase, makeFault } from '../../scripts/measure-picture-health/made-footage.js';
import { footageFile } from '../../src/demo/demo-cameras.js';
import type { CameraPayload } from '../../src/publish/events.js';
import { buildPage } from '../support/built-page.js';
import { ControlRoom } from '../support/control-room.js';
import { npmFfmpeg } from '../support/ingest-clips.js';
import { type RunningService, WatchedBuilding } from '../support/watched-building.js';

/**
 * The clip begins with a bare face: the lens is capped while its episode is open, and for longer than a lost camera keeps
 * episodes open.
 */
const TIMES = { beforeSeconds: 5, faultSeconds: 16, afterSeconds: 1 } as const;

let folder: string;
let building: WatchedBuilding;
let service: RunningService;
let room: ControlRoom;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-capped-'));
  const { path: ffmpegPath } = await npmFfmpeg();
  const base = join(folder, 'base.mp4');
  const capped = join(folder, 'capped.mp4');
  await makeBase(ffmpegPath, footageFile('entrance'), 23, base);
  const fault = MADE_FAULTS.find(({ expects }) => expects === 'black')!;
  await makeFault(ffmpegPath, base, { fault, times: TIMES, path: capped });
  building = await WatchedBuilding.open({
    cameras: [
      { id: 'capped', name: 'Capped', file: capped },
      { id: 'stairwell', name: 'Stairwell', file: footageFile('stairwell') },
    ],
    config: {
      ingest: { pictureHealth: { blindSeconds: 1 } },
      policy: { graceSeconds: 0, minDurationSeconds: 0.2 },
      store: { path: ':memory:' },
    },
  });
  service = await building.startService();
  room = await ControlRoom.enter(service.url);
}, 120_000);
afterAll(async () => {
  room?.leave();
  await building?.close();
  await rm(folder, { recursive: true, force: true });
});

const isCapped = ({ cameraId, conditions }: CameraPayload) =>
  cameraId === 'capped' && conditions.some(({ condition }) => condition === 'black');
const isClear = ({ cameraId, state, conditions }: CameraPayload) =>
  cameraId === 'capped' && state === 'live' && conditions.length === 0;
const metric = async (camera: string, condition: string) => {
  const { body } = await service.text('/metrics');
  const line = body
    .split('\n')
    .find((text) => text.includes(`{camera="${camera}",condition="${condition}"}`));
  return Number(line?.split(' ').at(-1));
};

describe('a camera whose lens is capped now and then', () => {
  it('is told as blind by event, metric and log, and told to see again', async () => {
    const told = room.cameras.find(isCapped) ?? (await room.next('camera', isCapped));
    expect(told).toMatchObject({ state: 'live', isBlind: true });
    expect(Date.parse(told.conditions[0]!.since)).toBeLessThanOrEqual(Date.now());
    await expect.poll(() => metric('capped', 'black'), { timeout: 60_000 }).toBe(1);
    expect(service.stderr).toMatch(/picture is black: nobody can be judged on it/);
    expect(await metric('capped', 'covered')).toBe(0);
    expect(await metric('stairwell', 'black')).toBe(0);

    const clear = await room.next('camera', isClear);
    expect(clear).not.toHaveProperty('isBlind');
    await expect.poll(() => metric('capped', 'black'), { timeout: 60_000 }).toBe(0);
    // Nothing was ever told of the camera that nothing is wrong with.
    const others = room.cameras.filter(({ cameraId }) => cameraId === 'stairwell');
    expect(others.flatMap(({ conditions }) => conditions)).toEqual([]);
  }, 120_000);

  it('closes what it had open as a lost camera does: nobody complied', async () => {
    const closed = await room.episode(
      ({ change, closeReason }) => change === 'closed' && closeReason === 'camera_lost',
    );
    expect(closed.cameraId).toBe('capped');
  }, 240_000);

  it.skipIf(!existsSync(CHROMIUM_PATH))(
    `is seen on the page (needs ${CHROMIUM_PATH})`,
    async () => {
      await buildPage();
      const browser = await launchBrowser();
      try {
        const page = await browser.newPage();
        await page.goto(service.url);
        const badge = page.locator('[data-camera="capped"] [data-condition="black"]');
        await badge.waitFor({ timeout: 60_000 });
        expect(await badge.textContent()).toMatch(/^Picture black since \d\d:\d\d$/);
        const tile = page.locator('[data-camera="capped"]');
        expect(await tile.locator('footer').textContent()).toMatch(/nobody can be judged/);
        await badge.waitFor({ state: 'detached', timeout: 60_000 });
        expect(await page.locator('[data-camera="stairwell"] [data-condition]').count()).toBe(0);
      } finally {
        await browser.close();
      }
    },
    180_000,
  );
});
