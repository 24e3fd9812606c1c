import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { livingChildPids } from '../../src/ingest/child-processes.js';
import { type FfmpegBinary, findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { faultCases, playFault } from '../support/fault-story.js';
import { FFMPEGS, makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { WatchedCamera } from '../support/watched-camera.js';

/* What `scripts/measure-camera-faults.ts` prints, as a test: every fault, noticed, told, and over. */

const AUTH = { username: 'watch man', password: `p@ss/w:%?#"x' ü` };
let folder: string;
let other: string;
let server: RtspServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-faults-'));
  const make = (name: string, width: number, height: number, rateFps: number, keyframes: number) =>
    makeClip(folder, { ...{ name, width, height, rateFps, keyframes }, seconds: 4, bFrames: 0 });
  const file = await make('clip.mp4', 320, 180, 25, 25);
  other = await make('other.mp4', 480, 320, 15, 15);
  server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [{ path: '/cam', file, auth: { ...AUTH, scheme: 'digest' } }],
  });
}, 60_000);
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
  expect(livingChildPids()).toEqual([]);
});

describe.each(FFMPEGS)('faults of a camera, seen through the $name', ({ path: ffmpegPath, isPresent }) => {
  let binary: FfmpegBinary;
  beforeAll(async () => {
    if (isPresent) binary = await findFfmpeg({ path: ffmpegPath });
  });

  const play = (fault: ReturnType<typeof faultCases>[number], transport: 'tcp' | 'udp') =>
    playFault(fault, { server, path: '/cam', transport, binary, ...AUTH });

  describe.skipIf(!isPresent).each(faultCases(''))('$name', (template) => {
    const faultOf = () => faultCases(other).find(({ name }) => name === template.name)!;

    it('is told or lived through, and passes; nothing is left', async () => {
      const story = await play(faultOf(), 'tcp');
      expect(story.leftProcesses).toBe(0);
      expect(story.told).not.toContain(AUTH.password);
      if (template.told) expect(story.restarts).toBeGreaterThan(0);
      else expect(story).toMatchObject({ restarts: 0, noticedMs: null });
      if (template.fault.kind === 'other_clip') expect(story.sizes).toEqual(['320×180', '480×320']);
      if (template.fault.kind === 'time_still') expect(story.timestamps).toBe('arrival');
      expect(story.clockJumps).toBe(template.fault.kind === 'time_jump' ? 1 : 0);
    }, 120_000);
  });

  it.skipIf(!isPresent)(
    'survives lost and reordered packets by UDP too',
    async () => {
      for (const share of [0.02, 0.05]) {
        const story = await play(
          { name: '', fault: { kind: share === 0.02 ? 'packet_loss' : 'reorder', share }, told: null },
          'udp',
        );
        expect(story).toMatchObject({ leftProcesses: 0, restarts: 0 });
      }
    },
    60_000,
  );

  it.skipIf(!isPresent).each([
    { transports: ['tcp'], taken: 'udp' },
    { transports: ['tcp', 'udp'], taken: 'http' },
  ] as const)(
    'takes $taken where $transports are refused, if it may',
    async ({ transports, taken }) => {
      server.setFault('/cam', { kind: 'no_transport', transports });
      const camera = new WatchedCamera({
        binary,
        url: server.url('/cam'),
        transport: 'auto',
        ...AUTH,
      }).start();
      try {
        await camera.frames(2);
        expect(camera.supervisor.status()).toMatchObject({ state: 'live', stream: { transport: taken } });
        expect(camera.ends[0]!.message).toContain('does not offer this transport');
      } finally {
        server.clearFault('/cam');
        await camera.stop();
      }
    },
    60_000,
  );
});

describe('faults that there are not', () => {
  it('are refused by name', () => {
    const set = (fault: never) => () => server.setFault('/cam', fault);
    const refused = expect.objectContaining({ code: 'RTSP_FAULT_INVALID' });
    expect(set({ kind: 'gremlins' } as never)).toThrow(refused);
    expect(set({ kind: 'packet_loss', share: 0 } as never)).toThrow(refused);
    expect(set({ kind: 'time_jump', seconds: Number.NaN } as never)).toThrow(refused);
    expect(set({ kind: 'no_transport', transports: [] } as never)).toThrow(refused);
    expect(server.stats().streams[0]!.fault).toBeNull();
  });
});
