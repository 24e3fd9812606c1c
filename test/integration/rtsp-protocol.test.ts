import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { pictureTimes, RtspTestClient } from '../support/rtsp-client.js';

const PICTURE_STEP = 90_000 / 25;
const SPS = 7;
const IDR = 5;
const TCP = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };

let folder: string;
let server: RtspServer;
const clients: RtspTestClient[] = [];

async function connect(path = '/cam'): Promise<RtspTestClient> {
  const client = await RtspTestClient.open(server.url(path));
  clients.push(client);
  return client;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-rtsp-'));
  const size = { width: 160, height: 96, bFrames: 0 };
  const short = await makeClip(folder, { ...size, name: 'short.mp4', seconds: 1, keyframes: 25 });
  const long = await makeClip(folder, { ...size, name: 'long.mp4', seconds: 60, keyframes: 1500 });
  server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/cam', file: short },
      { path: '/one-keyframe', file: long },
      { path: 'floor 2/gate', file: short },
      { path: '/secret', file: short, auth: { username: 'u', password: 'p', scheme: 'digest' } },
      { path: '/missing', file: join(folder, 'nothing.mp4') },
    ],
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the conversation', () => {
  it('lists its methods', async () => {
    const client = await connect();
    const reply = await client.request('OPTIONS', {}, { uri: '*' });
    // Without a path nothing is asked of a stream.
    expect(reply.status).toBe(200);
    expect(reply.headers.get('public')).toContain('GET_PARAMETER');
    expect(reply.headers.get('cseq')).toBe('1');
  });

  it('describes the stream with its parameter sets', async () => {
    const client = await connect();
    const { status, headers, body } = await client.request('DESCRIBE', { Accept: 'application/sdp' });
    expect(status).toBe(200);
    expect(headers.get('content-base')).toBe(`${client.url}/`);
    expect(body).toMatch(/^m=video 0 RTP\/AVP 96\r$/m);
    expect(body).toMatch(/^a=rtpmap:96 H264\/90000\r$/m);
    expect(body).toMatch(/^a=fmtp:96 .*sprop-parameter-sets=[\w+/=]+,[\w+/=]+/m);
    expect(body).toMatch(/^a=control:trackID=0\r$/m);
  });

  it('finds a path with a space, with a query and with a slash at the end', async () => {
    const client = await connect('/floor 2/gate');
    expect(client.url).toContain('/floor%202/gate');
    for (const uri of [client.url, `${client.url}/`, `${client.url}?channel=1`]) {
      expect((await client.request('DESCRIBE', {}, { uri })).status).toBe(200);
    }
  });

  it.each([
    ['a path that is no camera', 404, 'DESCRIBE', {}, { path: '/nobody' }],
    ['an URI that is none', 400, 'DESCRIBE', {}, { uri: 'http://x/cam' }],
    ['a broken escape', 400, 'DESCRIBE', {}, { path: '/%zz' }],
    ['another version', 505, 'DESCRIBE', {}, { version: 'RTSP/2.0' }],
    ['a format that we lack', 406, 'DESCRIBE', { Accept: 'text/html' }, {}],
    ['an extension that we lack', 551, 'DESCRIBE', { Require: 'x-magic' }, {}],
    ['publishing', 405, 'ANNOUNCE', {}, {}],
    ['recording', 405, 'RECORD', {}, {}],
    ['an unknown method', 501, 'DANCE', {}, {}],
    ['multicast', 461, 'SETUP', { Transport: 'RTP/AVP;multicast;port=5000-5001' }, {}],
    ['encryption', 461, 'SETUP', { Transport: 'RTP/SAVP/TCP;unicast;interleaved=0-1' }, {}],
    ['no transport', 461, 'SETUP', {}, {}],
    ['playing without a session', 454, 'PLAY', {}, {}],
    ['an unknown session', 454, 'PLAY', { Session: '0123456789abcdef' }, {}],
    ['ending an unknown session', 454, 'TEARDOWN', { Session: 'x;timeout=60' }, {}],
    ['no credentials', 401, 'DESCRIBE', {}, { path: '/secret' }],
    ['a file that is gone', 503, 'DESCRIBE', {}, { path: '/missing' }],
  ] as const)('answers %s with %i and goes on', async (_name, status, method, headers, target) => {
    const client = await connect();
    const { path, ...rest }: { path?: string; uri?: string; version?: string } = target;
    const uri = path === undefined ? {} : { uri: client.url.replace('/cam', path) };
    expect((await client.request(method, headers, { ...rest, ...uri })).status).toBe(status);
    expect((await client.request('OPTIONS')).status).toBe(200);
  });

  it('answers a request without CSeq, and text that is no request, with 400', async () => {
    const client = await connect();
    expect((await client.raw(`OPTIONS ${client.url} RTSP/1.0\r\n\r\n`)).status).toBe(400);
    expect((await client.raw('GET / HTTP/1.1\r\nHost: x\r\n\r\n')).status).toBe(400);
    await client.until(() => client.isClosed);
  });

  it('takes requests in pieces and several at once', async () => {
    const client = await connect();
    const options = (cseq: number) => `OPTIONS ${client.url} RTSP/1.0\r\nCSeq: ${cseq}\r\n\r\n`;
    for (const character of options(7).slice(0, -1)) client.socket.write(character);
    const first = await client.raw(`\n${options(8)}`);
    expect(first.headers.get('cseq')).toBe('7');
    expect((await client.raw('')).headers.get('cseq')).toBe('8');
  });

  it('lets one session per set-up change its state only as RFC 2326 allows', async () => {
    const client = await connect();
    const { session } = await client.play();
    expect((await client.request('SETUP', { ...TCP, Session: session })).status).toBe(455);
    expect((await client.request('GET_PARAMETER', { Session: session })).status).toBe(200);
    expect((await client.request('GET_PARAMETER', { Session: session }, { body: 'jitter' })).status).toBe(
      451,
    );
    expect((await client.request('PAUSE', { Session: session })).status).toBe(200);
    expect((await client.request('TEARDOWN', { Session: session })).status).toBe(200);
    expect((await client.request('PLAY', { Session: session })).status).toBe(454);
    expect(server.stats().sessions).toEqual([]);
  });
});

describe('the packets', () => {
  it('are those that RTP-Info and Transport announce, without a gap past the end of the clip', async () => {
    const client = await connect();
    const { setup, play } = await client.play();
    const packets = await client.receive(250);
    const info = play.headers.get('rtp-info') ?? '';
    expect(info).toContain(`url=${client.url}/trackID=0`);
    expect(Number(/seq=(\d+)/.exec(info)?.[1])).toBe(packets[0]?.sequence);
    expect(Number(/rtptime=(\d+)/.exec(info)?.[1])).toBe(packets[0]?.timestamp);
    const ssrc = Number.parseInt(
      /ssrc=([0-9A-F]{8})/.exec(setup.headers.get('transport') ?? '')?.[1] ?? '',
      16,
    );
    expect(new Set(packets.map((packet) => packet.ssrc))).toEqual(new Set([ssrc]));
    for (const [index, packet] of packets.entries()) {
      expect(packet.sequence).toBe(((packets[0]?.sequence ?? 0) + index) % 65_536);
    }
    const times = pictureTimes(packets);
    expect(times.length).toBeGreaterThan(50);
    const steps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) >>> 0);
    expect(new Set(steps)).toEqual(new Set([PICTURE_STEP]));
  });

  it('come with sender reports of the same source', async () => {
    const client = await connect();
    await client.play();
    await client.until(() => client.rtcp.length > 0 && client.rtp.length > 0);
    const report = client.rtcp[0] ?? Buffer.alloc(0);
    expect(report.readUInt8(1)).toBe(200);
    expect(report.readUInt32BE(4)).toBe(client.rtp[0]?.ssrc);
    // Both clocks name the same instant: the report lies within the stream's first minutes.
    const distance = (report.readUInt32BE(16) - (client.rtp[0]?.timestamp ?? 0)) | 0;
    expect(Math.abs(distance)).toBeLessThan(90_000 * 60);
  });

  it('begin for a late client with the last keyframe, long before the next', async () => {
    const early = await connect('/one-keyframe');
    await early.play();
    await early.until(() => pictureTimes(early.rtp).length >= 40);
    const late = await connect('/one-keyframe');
    await late.play();
    await late.until(() => pictureTimes(late.rtp).length >= 40);
    expect(late.rtp[0]?.timestamp).toBe(early.rtp[0]?.timestamp);
    expect(late.rtp[0]?.nalTypes).toContain(SPS);
    expect(late.rtp.find((packet) => packet.hasMarker)?.nalTypes).toContain(IDR);
    // The clip has one keyframe a minute: none has come since.
    expect(server.stats().streams.find(({ path }) => path === '/one-keyframe')?.keyframes).toBe(1);
    const lateTimes = pictureTimes(late.rtp);
    expect(lateTimes).toEqual(pictureTimes(early.rtp).slice(0, lateTimes.length));
    // Each client has its own numbers and source.
    expect(late.rtp[0]?.ssrc).not.toBe(early.rtp[0]?.ssrc);
  });

  it('go on for one client when another leaves', async () => {
    const [staying, leaving] = [await connect(), await connect()];
    await Promise.all([staying.play(), leaving.play()]);
    await leaving.receive(20);
    leaving.close();
    const count = staying.rtp.length;
    const packets = await staying.receive(count + 60);
    expect(packets.at(-1)?.sequence).toBe(((packets[0]?.sequence ?? 0) + packets.length - 1) % 65_536);
  });

  it('carry keyframes with their parameter sets though the file keeps them apart', async () => {
    const client = await connect();
    await client.play();
    const packets = await client.receive(150);
    const timesOf = (type: number) =>
      new Set(packets.filter(({ nalTypes }) => nalTypes.includes(type)).map(({ timestamp }) => timestamp));
    const times = timesOf(IDR);
    expect(times.size).toBeGreaterThanOrEqual(2);
    expect(timesOf(SPS)).toEqual(times);
  });
});
