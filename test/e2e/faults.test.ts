import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { footageCameras } from '../../src/demo/demo-cameras.js';
import type { CameraPayload } from '../../src/publish/events.js';
import { ControlRoom } from '../support/control-room.js';
import { isAlive } from '../support/ingest-clips.js';
import { CREDENTIALS, type RunningService, WatchedBuilding } from '../support/watched-building.js';

const WRONG_PASSWORD = 'not/the:p@ssword#1%';
const WATCHED = ['entrance', 'reception', 'corridor'] as const;

let building: WatchedBuilding;
let service: RunningService;
let room: ControlRoom;

beforeAll(async () => {
  building = await WatchedBuilding.open({
    // The stairwell is watched with a wrong password; what the last one plays is no video.
    cameras: [...footageCameras(4), { id: 'broken', name: 'Broken', file: fileURLToPath(import.meta.url) }],
    config: {
      ingest: {
        ...{ connectTimeoutSeconds: 5, stallTimeoutSeconds: 2, killAfterSeconds: 0.5 },
        ...{ backoffMinSeconds: 0.05, backoffMaxSeconds: 0.4 },
      },
      policy: { graceSeconds: 0, minDurationSeconds: 0.2 },
      store: { path: 'episodes.db' },
      logging: { level: 'trace' },
    },
    overrides: { stairwell: { password: WRONG_PASSWORD } },
  });
  service = await building.startService();
  room = await ControlRoom.enter(service.url);
});
afterAll(async () => {
  room?.leave();
  await building?.close();
});

const allLive = () => Promise.all(WATCHED.map((id) => room.camera(id, 'live')));
const frames = (id: string) => room.detectionCounts.get(id) ?? 0;

/** Resolves with all that is told of a camera's state until it is live again. */
async function untilLiveAgain(id: string, from: number): Promise<string[]> {
  const states = () => room.cameras.slice(from).filter(({ cameraId }) => cameraId === id);
  while (states().at(-1)?.state !== 'live') await room.next('camera');
  return states().map(({ state }) => state);
}

describe.skipIf(process.platform !== 'linux')('a camera (needs /proc)', () => {
  it('comes back by itself when its ffmpeg is killed, and the others see nothing of it', async () => {
    await allLive();
    const from = room.cameras.length;
    const before = WATCHED.map(frames);
    const [pid, ...more] = service.ffmpegPids('entrance');
    expect(more).toEqual([]);
    process.kill(pid!, 'SIGKILL');
    const lost = await room.next('camera', ({ cameraId }) => cameraId === 'entrance');
    expect(lost).toMatchObject({ state: 'backing_off', reason: 'process_exited' });
    const states = await untilLiveAgain('entrance', from);
    expect(states).toEqual(['backing_off', 'connecting', 'live']);

    // One process again, and another one.
    const [newPid, ...others] = service.ffmpegPids('entrance');
    expect(others).toEqual([]);
    expect(newPid).not.toBe(pid);
    // Every camera goes on to deliver; only this one was ever told of.
    const wanted = WATCHED.map((id, index) => Math.max(frames(id), before[index]!) + 3);
    while (WATCHED.some((id, index) => frames(id) < wanted[index]!)) await room.next('detections');
    const told = room.cameras.slice(from).map(({ cameraId }) => cameraId);
    expect(new Set(told.filter((id) => WATCHED.some((watched) => watched === id)))).toEqual(
      new Set(['entrance']),
    );
    const restarts = room.cameras.findLast(({ cameraId }) => cameraId === 'entrance')?.restarts;
    expect(restarts).toBe(1);
    const { body } = await service.text('/metrics');
    expect(body).toMatch(/maskwatch_camera_restarts_total\{camera="entrance",reason="process_exited"\} 1/);
  });

  it('whose picture freezes is told as stalled, given up and started again', async () => {
    await allLive();
    const from = room.cameras.length;
    const [pid] = service.ffmpegPids('corridor');
    building.simulated.server.freeze('/corridor');
    const stalled = await room.next('camera', ({ cameraId }) => cameraId === 'corridor');
    expect(stalled).toMatchObject({ state: 'stalled', reason: 'no_frames', message: 'No new picture' });
    // As configured, and not much later: the watchdog looks ten times in that time.
    expect(stalled.lastFrameAgeMs).toBeGreaterThanOrEqual(2000);
    await room.camera('corridor', 'backing_off');
    // The hanging process is gone before the next one begins.
    expect(isAlive(pid!)).toBe(false);
    building.simulated.server.resume('/corridor');
    expect(await untilLiveAgain('corridor', from)).toEqual(
      expect.arrayContaining(['stalled', 'backing_off', 'connecting', 'live']),
    );
    const others = room.cameras.slice(from).filter(({ cameraId }) => cameraId !== 'corridor');
    expect(others.filter(({ cameraId }) => WATCHED.some((watched) => watched === cameraId))).toEqual([]);
  });

  it('with a wrong password, or out of order, is told so in plain words', async () => {
    const refused = await room.camera('stairwell', 'backing_off');
    expect(refused).toMatchObject({ reason: 'unauthorized', lastFrameAgeMs: null });
    expect(refused.message).toMatch(/password/i);
    // Among other reasons: a server that looks for its footage may also take too long to answer.
    const isBroken = ({ cameraId, reason }: CameraPayload) =>
      cameraId === 'broken' && reason === 'unreachable';
    const broken = room.cameras.find(isBroken) ?? (await room.next('camera', isBroken));
    // ffmpeg's own words are in it, which hold the address.
    expect(broken.message).toMatch(/rtsp:\/\/\*\*\*@127\.0\.0\.1:\d+\/broken/);
  });
});

describe('the cameras’ server', () => {
  it('goes away and comes back: so do all cameras, and readiness with them', async () => {
    await allLive();
    expect((await service.text('/readyz')).status).toBe(200);
    const from = room.cameras.length;
    const port = await building.closeCameras();
    await Promise.all(WATCHED.map((id) => room.camera(id, 'backing_off', 'stalled', 'connecting')));
    const { status, body } = await service.text('/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({
      status: 'not_ready',
      checks: { cameras: { ok: false, live: 0 }, model: { ok: true } },
    });
    // Refused connections while it is away.
    await room.next('camera', ({ reason }) => reason === 'refused');

    await building.openCameras(port);
    await Promise.all(WATCHED.map((id) => untilLiveAgain(id, from)));
    expect((await service.text('/readyz')).status).toBe(200);
    const before = WATCHED.map(frames);
    while (WATCHED.some((id, index) => frames(id) < before[index]! + 2)) await room.next('detections');
  });
});

describe('a password', () => {
  it('stands in no log line, no metric and no event, whatever went wrong', async () => {
    const { body } = await service.text('/metrics');
    const { body: readiness } = await service.text('/readyz');
    const everything = {
      stdout: service.stdout,
      stderr: service.stderr,
      body,
      readiness,
      events: room.said.join('\n'),
    };
    expect(everything.stderr.length).toBeGreaterThan(1000);
    expect(everything.stderr).toContain('unauthorized');
    for (const password of [CREDENTIALS.password, WRONG_PASSWORD]) {
      for (const form of [password, encodeURIComponent(password), JSON.stringify(password).slice(1, -1)])
        for (const [where, text] of Object.entries(everything))
          expect({ where, holdsIt: text.includes(form) }).toEqual({ where, holdsIt: false });
    }
  });
});

describe.skipIf(process.platform !== 'linux')('the service’s end (needs /proc)', () => {
  it('by SIGTERM closes episodes, tells it, leaves no ffmpeg and exits with 143', async () => {
    await allLive();
    const openIds = () => {
      const open = new Set<string>();
      for (const { id, closedAt } of room.episodes) closedAt ? open.delete(id) : open.add(id);
      return open;
    };
    while (openIds().size === 0) await room.next('episode');
    const pids = service.ffmpegPids();
    expect(pids.length).toBeGreaterThanOrEqual(WATCHED.length);
    const wereOpen = openIds();
    const end = await service.stop('SIGTERM');
    expect(end).toEqual({ code: 143, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
    const closed = room.episodes.filter(
      ({ change, closeReason }) => change === 'closed' && closeReason === 'shutdown',
    );
    for (const id of wereOpen)
      expect(room.episodes.findLast((episode) => episode.id === id)).toMatchObject({ change: 'closed' });
    expect(closed.length).toBeGreaterThan(0);
  });

  it('by SIGKILL ends its ffmpegs too; the next start closes what was left open', async () => {
    const known = room.episodes.at(-1)?.sequence ?? 0;
    room.leave();
    service = await building.startService();
    room = await ControlRoom.enter(service.url);
    // The journal goes on where it was.
    const open = await room.episode(({ change }) => change === 'opened');
    expect(open.sequence).toBeGreaterThan(known);
    await allLive();
    const pids = service.ffmpegPids();
    expect(pids.length).toBeGreaterThanOrEqual(3);
    await service.stop('SIGKILL');
    // While pictures flow, the broken pipe ends them at their next one. Orphans tell nobody of their end.
    while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
    room.leave();

    service = await building.startService();
    room = await ControlRoom.enter(service.url);
    const journal = await room.journal();
    expect(journal.filter(({ id }) => id === open.id).at(-1)).toMatchObject({
      change: 'closed',
      closeReason: 'shutdown',
    });
    expect(journal.map(({ sequence }) => sequence)).toEqual(journal.map((_, index) => index + 1));
  });
});
