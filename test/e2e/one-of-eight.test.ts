import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CameraFault } from '../../src/demo/rtsp/server.js';
import { ControlRoom } from '../support/control-room.js';
import { makeClip } from '../support/ingest-clips.js';
import { type RunningService, WatchedBuilding } from '../support/watched-building.js';

const IDS = Array.from({ length: 8 }, (_, i) => `cam-${i + 1}`);
const [ILL, ...WELL] = IDS as [string, ...string[]];
/** Frames of each of the others that must come while one camera is ill. */
const FRAMES = 12;

let folder: string;
let building: WatchedBuilding;
let service: RunningService;
let room: ControlRoom;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-eight-'));
  const clip = { name: 'clip.mp4', width: 320, height: 180, seconds: 6, bFrames: 0 };
  const file = await makeClip(folder, clip);
  building = await WatchedBuilding.open({
    cameras: IDS.map((id) => ({ id, name: id, file })),
    config: {
      analysis: { rateFps: 2, widthPx: 320, heightPx: 180 },
      detection: { widthPx: 320, heightPx: 192 },
      ingest: {
        stallTimeoutSeconds: 2,
        connectTimeoutSeconds: 3,
        backoffMinSeconds: 0.2,
        backoffMaxSeconds: 1,
      },
    },
  });
  service = await building.startService();
  room = await ControlRoom.enter(service.url);
}, 60_000);
afterAll(async () => {
  room?.socket.close();
  await building?.close();
  await rm(folder, { recursive: true, force: true });
});

async function statuses() {
  const reply = await room.socket.emitWithAck('subscribe', { cameras: 'all' });
  if (!reply.ok) throw new Error(reply.error.message);
  return new Map(reply.cameras.map((camera) => [camera.cameraId, camera]));
}

/** Resolves when each of the cameras has had so many further frames. */
async function framesOf(ids: readonly string[], count: number): Promise<void> {
  const wanted = new Map(ids.map((id) => [id, (room.detectionCounts.get(id) ?? 0) + count]));
  while ([...wanted].some(([id, total]) => (room.detectionCounts.get(id) ?? 0) < total))
    await room.next('detections', () => true);
}

/** Of one camera, by reason. */
async function droppedOf(id: string): Promise<number> {
  const { body } = await service.text('/metrics');
  const lines = body
    .split('\n')
    .filter((line) => line.startsWith('maskwatch_frames_dropped_total{') && line.includes(`camera="${id}"`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const FAULTS: CameraFault[] = [
  { kind: 'freeze' },
  { kind: 'refuse' },
  { kind: 'black_hole' },
  { kind: 'half_open' },
  { kind: 'corrupt', share: 0.3 },
  { kind: 'time_still' },
];

describe('one camera of eight', () => {
  it.each(FAULTS)(
    'with the fault $kind: the other seven notice nothing',
    async (fault) => {
      await framesOf(IDS, 2);
      const before = await statuses();
      const dropped = await Promise.all(WELL.map(droppedOf));
      building.simulated.server.setFault(`/${ILL}`, fault);
      await framesOf(WELL, FRAMES);
      const during = await statuses();
      for (const id of WELL)
        expect(during.get(id)).toMatchObject({
          state: 'live',
          since: before.get(id)!.since,
          restarts: before.get(id)!.restarts,
        });
      expect(await Promise.all(WELL.map(droppedOf))).toEqual(dropped);
      building.simulated.server.clearFault(`/${ILL}`);
      await framesOf([ILL], 3);
      expect((await statuses()).get(ILL)).toMatchObject({ state: 'live' });
    },
    90_000,
  );

  it('leaves one ffmpeg a camera', () => {
    for (const id of IDS) expect(service.ffmpegPids(id)).toHaveLength(1);
  });
});
