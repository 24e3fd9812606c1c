import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CameraFault, RtspServer } from '../../src/demo/rtsp/server.js';
import { FFMPEGS, npmFfmpeg } from '../support/ingest-clips.js';
import { makeNoisyClip } from '../support/rtsp-footage.js';
import { decodePictures, failureOf, playBack, withCredentials } from '../support/rtsp-playback.js';

/* What both ffmpegs make of a camera's faults. */

const run = promisify(execFile);
const AUTH = { username: 'watch man', password: `p@ss/w:%?#"x' ü` };
let folder: string;
let clip: string;
let other: string;
let server: RtspServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-fault-playback-'));
  clip = await makeNoisyClip(folder, { name: 'clip.mp4', size: '320x180', seconds: 2, keyframes: 25 });
  other = await makeNoisyClip(folder, { name: 'other.mp4', size: '480x256', seconds: 2, keyframes: 25 });
  server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/cam', file: clip },
      { path: '/digest', file: clip, auth: { ...AUTH, scheme: 'digest' } },
    ],
  });
}, 60_000);
afterEach(() => {
  for (const { path } of server.stats().streams) server.clearFault(path);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

describe.each(FFMPEGS)('$name', ({ path, isPresent }) => {
  let ffmpegPath: string;
  let known: Set<string>;
  beforeAll(async () => {
    if (!isPresent) return;
    ffmpegPath = path ?? (await npmFfmpeg()).path;
    known = new Set((await decodePictures(ffmpegPath, ['-i', clip], 50)).map(({ checksum }) => checksum));
  });

  const input = (transport: string) => ['-rtsp_transport', transport, '-i', server.url('/cam')];
  /** Forty pictures of which so many are as they were filmed, and what ffmpeg says of them. */
  async function watch(transport: string, fault: CameraFault) {
    server.setFault('/cam', fault);
    const before = server.stats().streams[0]!.faultyPackets;
    const { pictures, complaints } = await playBack(ffmpegPath, input(transport), 40, 'warning');
    expect(server.stats().streams[0]!.faultyPackets - before).toBeGreaterThan(0);
    const right = pictures.filter(({ checksum }) => known.has(checksum)).length;
    return { count: pictures.length, right, complaints };
  }

  it.skipIf(!isPresent).each(['tcp', 'udp', 'http'])(
    'sees lost packets as damage over %s',
    async (transport) => {
      const { count, right, complaints } = await watch(transport, { kind: 'packet_loss', share: 0.05 });
      expect(count).toBe(40);
      expect(right).toBeLessThan(30);
      expect(complaints).toMatch(/error while decoding/);
      // Over TCP nobody expects a gap, so nobody counts it.
      if (transport === 'udp') expect(complaints).toMatch(/RTP: missed \d+ packets/);
    },
  );

  it.skipIf(!isPresent)('sorts packets over UDP, and takes them as they come over TCP', async () => {
    const udp = await watch('udp', { kind: 'reorder', share: 0.3 });
    expect(udp.count).toBe(40);
    // Not all of them: on a busy machine a datagram may be lost for good.
    expect(udp.right).toBeGreaterThan(30);
    const tcp = await watch('tcp', { kind: 'reorder', share: 0.3 });
    expect(tcp.right).toBeLessThan(20);
    expect(tcp.complaints).toMatch(/error while decoding/);
  });

  it.skipIf(!isPresent).each(['tcp', 'udp'])(
    'decodes what it can of damaged packets over %s',
    async (transport) => {
      const { count, right, complaints } = await watch(transport, { kind: 'corrupt', share: 0.2 });
      expect(count).toBe(40);
      expect(right).toBeLessThan(20);
      expect(complaints).not.toMatch(/RTP: missed/);
    },
  );

  it.skipIf(!isPresent).each(['tcp', 'udp'])(
    'goes on with another size in mid-stream over %s',
    async (transport) => {
      const filmed = run(
        ffmpegPath,
        [
          '-nostdin',
          '-v',
          'info',
          ...input(transport),
          '-vf',
          'showinfo',
          '-frames:v',
          '200',
          '-f',
          'null',
          '-',
        ],
        { timeout: 60_000, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 },
      );
      let seen = '';
      filmed.child.stderr?.on('data', (text) => {
        seen += String(text);
        // Three pictures of the first size have come.
        if (/ n: +3 /.test(seen) && !server.stats().streams[0]!.fault)
          server.setFault('/cam', { kind: 'other_clip', file: other });
      });
      const sizes = [...(await filmed).stderr.matchAll(/ n: *\d+ .* s:(\d+x\d+) /g)].map(([, size]) => size);
      expect(sizes.length).toBeGreaterThanOrEqual(200);
      expect([...new Set(sizes)]).toEqual(['320x180', '480x256']);
      expect(sizes.indexOf('480x256')).toBe(sizes.filter((size) => size === '320x180').length);
    },
  );

  it.skipIf(!isPresent).each([
    { kind: 'not_found', says: /404/ },
    { kind: 'wrong_password', says: /401/ },
    { kind: 'refuse', says: /Connection reset|Broken pipe|Input\/output error|End of file|Invalid data/ },
  ] as const)('fails at once: $kind', async ({ kind, says }) => {
    server.setFault('/digest', { kind });
    const url = withCredentials(server.url('/digest'), AUTH.username, AUTH.password);
    expect(await failureOf(ffmpegPath, ['-rtsp_transport', 'tcp', '-i', url])).toMatch(says);
    server.clearFault('/digest');
    expect(await decodePictures(ffmpegPath, ['-rtsp_transport', 'tcp', '-i', url], 2)).toHaveLength(2);
  });

  it.skipIf(!isPresent)('takes UDP where TCP gets 461', async () => {
    server.setFault('/cam', { kind: 'no_transport', transports: ['tcp'] });
    expect(await failureOf(ffmpegPath, input('tcp'))).toMatch(/461/);
    expect(await decodePictures(ffmpegPath, input('udp'), 5)).toHaveLength(5);
    server.setFault('/cam', { kind: 'no_transport', transports: ['udp'] });
    expect(await failureOf(ffmpegPath, input('udp'))).toMatch(/461/);
    expect(await decodePictures(ffmpegPath, input('tcp'), 5)).toHaveLength(5);
  });

  it.skipIf(!isPresent).each(['black_hole', 'half_open'] as const)(
    'gives up by its own time-out alone: %s',
    async (kind) => {
      server.setFault('/cam', { kind });
      const timeout = path ? '-timeout' : '-stimeout';
      const before = server.stats().streams[0]!.faultyAnswers;
      await failureOf(ffmpegPath, [timeout, '1500000', ...input('tcp')]);
      expect(server.stats().streams[0]!.faultyAnswers).toBe(before + 1);
    },
  );

  it.skipIf(!isPresent)('is refused while the cable is out', async () => {
    await server.unplug();
    try {
      expect(await failureOf(ffmpegPath, input('tcp'))).toMatch(/Connection refused/);
    } finally {
      await server.plugIn();
    }
    expect(await decodePictures(ffmpegPath, input('tcp'), 2)).toHaveLength(2);
  });

  it.skipIf(!isPresent)('sees the clock leap', async () => {
    const playing = playBack(ffmpegPath, input('tcp'), 100);
    const isPlaying = () => server.stats().sessions.some(({ sentPackets }) => sentPackets > 200);
    await vi.waitFor(() => expect(isPlaying()).toBe(true), 20_000);
    server.setFault('/cam', { kind: 'time_jump', seconds: 3600 });
    const { pictures } = await playing;
    const steps = pictures.slice(1).map(({ pts }, index) => pts - pictures[index]!.pts);
    const leaps = steps.filter((step) => step > 1000);
    expect(leaps).toHaveLength(1);
    expect(leaps[0]).toBeGreaterThan(3590 * 25);
  });
});
