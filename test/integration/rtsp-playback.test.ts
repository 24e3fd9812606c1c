import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { FFMPEGS, makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { decodePictures, failureOf, withCredentials } from '../support/rtsp-playback.js';

const USER = 'us er@gate';
const PASSWORD = `p@ss:w/rd %&#"ü`;
const CLIP_PICTURES = 50;
const KEYFRAME_EVERY = 25;

let folder: string;
let clip: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-playback-'));
  clip = await makeClip(folder, {
    name: 'a clip: 1.mp4',
    width: 320,
    height: 180,
    seconds: CLIP_PICTURES / 25,
    keyframes: KEYFRAME_EVERY,
    bFrames: 0,
  });
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

// Each ffmpeg in both parts: as the camera's packetiser and as the client.
describe.each(FFMPEGS)('$name', ({ path: ffmpegPath, isPresent }) => {
  let server: RtspServer;
  let clientPath: string;

  beforeAll(async () => {
    if (!isPresent) return;
    clientPath = ffmpegPath ?? (await npmFfmpeg()).path;
    server = await RtspServer.open({
      ffmpegPath: clientPath,
      streams: [
        { path: '/cam', file: clip },
        { path: '/digest', file: clip, auth: { username: USER, password: PASSWORD, scheme: 'digest' } },
        {
          path: '/qop',
          file: clip,
          auth: { username: USER, password: PASSWORD, scheme: 'digest', qop: true },
        },
        { path: '/basic', file: clip, auth: { username: USER, password: PASSWORD, scheme: 'basic' } },
      ],
    });
  });
  afterAll(async () => server?.close());

  it.skipIf(!isPresent).each(['tcp', 'udp'])(
    'plays every picture over %s, in order, past the end of the clip',
    async (transport) => {
      const original = await decodePictures(clientPath, ['-i', clip], CLIP_PICTURES);
      const count = CLIP_PICTURES * 2 + 20;
      const played = await decodePictures(
        clientPath,
        ['-rtsp_transport', transport, '-i', server.url('/cam')],
        count,
      );
      const start = original.findIndex(({ checksum }) => checksum === played[0]?.checksum);
      expect(start % KEYFRAME_EVERY).toBe(0);
      const expected = Array.from(
        { length: count },
        (_, index) => original[(start + index) % CLIP_PICTURES]?.checksum,
      );
      expect(played.map(({ checksum }) => checksum)).toEqual(expected);
      // The npm ffmpeg guesses the times of a live stream's first pictures wrongly, whatever the server.
      const steps = played.slice(9).map(({ pts }, index) => pts - (played[index + 8]?.pts ?? 0));
      expect(new Set(steps)).toEqual(new Set([1]));
    },
  );

  it.skipIf(!isPresent).each(['/digest', '/qop', '/basic'])(
    'logs in at %s with a password of awkward characters, and only with it',
    async (path) => {
      const url = server.url(path);
      const right = withCredentials(url, USER, PASSWORD);
      expect(await decodePictures(clientPath, ['-rtsp_transport', 'tcp', '-i', right], 3)).toHaveLength(3);
      const wrong = withCredentials(url, USER, `${PASSWORD}x`);
      expect(await failureOf(clientPath, ['-rtsp_transport', 'tcp', '-i', wrong])).toMatch(/401/);
      expect(await failureOf(clientPath, ['-rtsp_transport', 'tcp', '-i', url])).toMatch(/401/);
    },
  );

  it.skipIf(!isPresent)('says 404 for a path that is no camera', async () => {
    const url = server.url('/cam').replace('/cam', '/nobody');
    expect(await failureOf(clientPath, ['-rtsp_transport', 'tcp', '-i', url])).toMatch(/404/);
  });

  it.skipIf(!isPresent)('serves clients over TCP and UDP at once and forgets them', async () => {
    const play = (transport: string) =>
      decodePictures(clientPath, ['-rtsp_transport', transport, '-i', server.url('/cam')], 30);
    const all = await Promise.all([play('tcp'), play('tcp'), play('udp')]);
    expect(all.map((pictures) => pictures.length)).toEqual([30, 30, 30]);
    await vi.waitFor(() => expect(server.stats()).toMatchObject({ connections: 0, sessions: [] }));
    expect(server.stats().streams[0]).toMatchObject({ clients: 0, restarts: 0 });
  });
});
