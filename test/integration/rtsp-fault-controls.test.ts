import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSenderReport } from '../../src/demo/rtsp/rtp.js';
import { CAMERA_FAULT_KINDS, type CameraFault, RtspServer } from '../../src/demo/rtsp/server.js';
import { seededRandom } from '../../src/lib/random.js';
import { npmFfmpeg } from '../support/ingest-clips.js';
import { pictureTimes, type ReceivedRtp, RtspTestClient } from '../support/rtsp-client.js';
import { makeNoisyClip } from '../support/rtsp-footage.js';

/* What a client receives, byte for byte, while a simulated camera is at fault. */

const RTP_HZ = 90_000;
let folder: string;
let server: RtspServer;
let slow: string;
const clients: RtspTestClient[] = [];

async function connectTo(path = '/cam'): Promise<RtspTestClient> {
  const client = await RtspTestClient.open(server.url(path));
  clients.push(client);
  return client;
}

async function playing(packets = 1): Promise<RtspTestClient & { session: string }> {
  const client = await connectTo();
  const { session } = await client.play();
  await client.receive(packets);
  return Object.assign(client, { session });
}

/** Places of the packets in the order of sending, counted from what PLAY announces. */
async function placesOf(client: RtspTestClient, count: number): Promise<number[]> {
  const { play } = await client.play();
  const first = Number(/seq=(\d+)/.exec(play.headers.get('rtp-info') ?? '')?.[1]);
  return (await client.receive(count)).map(({ sequence }) => (sequence - first) & 0xffff);
}

function camera(path = '/cam') {
  return server.stats().streams.find((stream) => stream.path === path)!;
}

/** Something else that takes the server a while: what it has not done by then, it does not do. */
async function meanwhile(): Promise<void> {
  const other = await connectTo('/other');
  await other.play();
  await other.receive(60);
}

const stepsOf = (times: readonly number[]) =>
  times.slice(1).map((time, index) => (time - (times[index] as number)) | 0);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-controls-'));
  const usual = { size: '320x180', seconds: 1, keyframes: 25 };
  const file = await makeNoisyClip(folder, { ...usual, name: 'noisy.mp4' });
  slow = await makeNoisyClip(folder, {
    name: 'slow.mp4',
    size: '160x96',
    rateFps: 5,
    seconds: 2,
    keyframes: 10,
  });
  server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/cam', file },
      { path: '/other', file },
      { path: '/secret', file, auth: { username: 'u', password: 'p', scheme: 'basic' } },
    ],
  });
}, 60_000);
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const { path } of server.stats().streams) server.clearFault(path);
  await vi.waitFor(() => expect(server.stats().connections).toBe(0), 10_000);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('packets', () => {
  it('are lost as the seed says, the same ones for each client', async () => {
    const [share, seed, count] = [0.2, 7, 200];
    server.setFault('/cam', { kind: 'packet_loss', share, seed });
    const random = seededRandom(seed);
    const expected: number[] = [];
    for (let place = 0; expected.length < count; place += 1) if (!random.chance(share)) expected.push(place);
    const [one, other] = [await connectTo(), await connectTo()];
    expect(await placesOf(one, count)).toEqual(expected);
    expect(await placesOf(other, count)).toEqual(expected);
    expect(camera().faultyPackets).toBeGreaterThan(0.1 * count);
    server.setFault('/cam', { kind: 'packet_loss', share, seed: seed + 1 });
    expect(await placesOf(await connectTo(), count)).not.toEqual(expected);
  });

  it('change places with their neighbours, and none is lost', async () => {
    server.setFault('/cam', { kind: 'reorder', share: 0.3 });
    const client = await connectTo();
    const places = await placesOf(client, 300);
    const moved = places.filter((place, index) => place !== index);
    expect(moved.length).toBeGreaterThan(30);
    for (const [index, place] of places.entries()) expect(Math.abs(place - index)).toBeLessThanOrEqual(1);
    expect(camera().faultyPackets).toBeGreaterThanOrEqual(Math.floor(moved.length / 2));
  });

  it('come with one bit turned over', async () => {
    const client = await playing();
    const known = await client.receive(400);
    const clean = new Set(known.map(({ payload }) => payload.toString('latin1')));
    server.setFault('/cam', { kind: 'corrupt', share: 1 });
    // What was sent before the fault is still under way.
    const start = client.rtp.length + 200;
    const damaged = (await client.receive(start + 40)).slice(start);
    for (const { payload } of damaged) {
      expect(clean.has(payload.toString('latin1'))).toBe(false);
      expect(known.some((other) => bitsBetween(payload, other.payload) === 1)).toBe(true);
    }
  });
});

describe('time', () => {
  it.each([3600, -3600, 12.5])('leaps by %d s once; the sender reports go with it', async (seconds) => {
    const client = await playing(60);
    server.setFault('/cam', { kind: 'time_jump', seconds });
    const packets = await client.receive(client.rtp.length + 300);
    const steps = stepsOf(pictureTimes(packets));
    const leaps = steps.filter((step) => step !== RTP_HZ / 25);
    expect(leaps).toEqual([(seconds * RTP_HZ + RTP_HZ / 25) | 0]);
    expectNoGap(packets);
    const late = await playing(1);
    await late.until(() => late.rtcp.length > 0);
    const before = readSenderReport(client.rtcp[0]!)!;
    const after = readSenderReport(late.rtcp[0]!)!;
    const ntpOf = ({ ntpSeconds, ntpFraction }: typeof before) => ntpSeconds + ntpFraction / 2 ** 32;
    const ntpStepS = ntpOf(after) - ntpOf(before);
    const rtpStepS = ((after.rtpTimestamp - before.rtpTimestamp) | 0) / RTP_HZ;
    expect(rtpStepS).toBeCloseTo(ntpStepS, 1);
    expect(Math.abs(ntpStepS - seconds)).toBeLessThan(30);
    // Set is set: clearing changes nothing.
    server.clearFault('/cam');
    const start = client.rtp.length;
    const later = (await client.receive(start + 100)).slice(start);
    expect(new Set(stepsOf(pictureTimes(later)))).toEqual(new Set([RTP_HZ / 25]));
  });

  it('stands still, and goes on with the present', async () => {
    const client = await playing(60);
    server.setFault('/cam', { kind: 'time_still' });
    const count = client.rtp.length;
    const still = (await client.receive(count + 300)).slice(count + 60);
    expect(new Set(still.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(still.filter(({ hasMarker }) => hasMarker).length).toBeGreaterThan(10);
    server.clearFault('/cam');
    await client.until(() => client.rtp.at(-1)?.timestamp !== still[0]?.timestamp || client.isClosed);
    const step = stepsOf(pictureTimes(client.rtp)).at(-1);
    expect(step).toBeGreaterThan(RTP_HZ / 2);
    // Who comes now gets pictures of the time that stood, but not its end in the midst of them.
    const late = await playing(60);
    expect(new Set(stepsOf(pictureTimes(late.rtp)))).toEqual(new Set([RTP_HZ / 25]));
  });
});

describe('connections', () => {
  it('are dropped once; whoever comes back is served', async () => {
    const client = await playing();
    server.setFault('/cam', { kind: 'drop' });
    await client.until(() => client.isClosed);
    await playing(30);
    expect(camera().fault).toEqual({ kind: 'drop' });
  });

  it('are reset when they ask', async () => {
    server.setFault('/cam', { kind: 'refuse' });
    const client = await connectTo();
    const [error] = await Promise.all([
      once(client.socket, 'error'),
      expect(client.request('DESCRIBE')).rejects.toThrow(/without a reply/),
    ]);
    expect(error[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(camera()).toMatchObject({ fault: { kind: 'refuse' }, faultyAnswers: expect.any(Number) });
  });

  it('are taken and never answered', async () => {
    server.setFault('/cam', { kind: 'black_hole' });
    const before = camera().faultyAnswers;
    const client = await connectTo();
    const asked = expect(client.request('DESCRIBE')).rejects.toThrow(/without a reply/);
    await vi.waitFor(() => expect(camera().faultyAnswers).toBe(before + 1), 10_000);
    await meanwhile();
    expect(client.isClosed).toBe(false);
    // Only the end of the fault ends the connection.
    server.clearFault('/cam');
    await asked;
  });

  it('stay open on the camera’s side after the client has gone', async () => {
    const client = await playing(30);
    server.setFault('/cam', { kind: 'half_open' });
    const asked = client.request('GET_PARAMETER', { Session: client.session }).catch(() => 'no answer');
    await meanwhile();
    const count = client.rtp.length;
    await meanwhile();
    expect(client.rtp.length).toBe(count);
    expect(client.isClosed).toBe(false);
    client.close();
    expect(await asked).toBe('no answer');
    await meanwhile();
    expect(server.stats().sessions.some(({ path }) => path === '/cam')).toBe(true);
    server.clearFault('/cam');
    await vi.waitFor(() => expect(server.stats().sessions.some(({ path }) => path === '/cam')).toBe(false));
  });

  it('are refused by the system while the cable is out, and taken again on the same port', async () => {
    const client = await playing();
    await server.unplug();
    await client.until(() => client.isClosed);
    const socket = connect(server.port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(server.stats()).toMatchObject({ isUnplugged: true, connections: 0, sessions: [] });
    await server.plugIn();
    await playing(30);
    expect(server.stats().isUnplugged).toBe(false);
  });
});

describe('answers', () => {
  it('are 404, and 401 to the right password', async () => {
    server.setFault('/cam', { kind: 'not_found' });
    expect((await (await connectTo()).request('DESCRIBE')).status).toBe(404);
    const right = { Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` };
    const client = await connectTo('/secret');
    expect((await client.request('DESCRIBE', right)).status).toBe(200);
    server.setFault('/secret', { kind: 'wrong_password' });
    const reply = await (await connectTo('/secret')).request('DESCRIBE', right);
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect(camera('/secret').faultyAnswers).toBe(1);
  });

  it('are 461 to the transports that are not served; another one in the same offer is taken', async () => {
    const [tcp, udp] = ['RTP/AVP/TCP;unicast;interleaved=0-1', 'RTP/AVP;unicast;client_port=50000-50001'];
    const setUp = async (offer: string) =>
      (await connectTo()).request('SETUP', { Transport: offer }).then(({ status, headers }) => ({
        status,
        isUdp: headers.get('transport')?.includes('client_port') ?? false,
      }));
    server.setFault('/cam', { kind: 'no_transport', transports: ['tcp'] });
    const before = camera().faultyAnswers;
    expect(await setUp(tcp)).toEqual({ status: 461, isUdp: false });
    expect(await setUp(udp)).toEqual({ status: 200, isUdp: true });
    expect(await setUp(`${tcp}, ${udp}`)).toEqual({ status: 200, isUdp: true });
    server.setFault('/cam', { kind: 'no_transport', transports: ['udp', 'tcp'] });
    expect(await setUp(`${tcp}, ${udp}`)).toEqual({ status: 461, isUdp: false });
    expect(camera().faultyAnswers).toBe(before + 2);
  });
});

describe('another clip in mid-stream', () => {
  it('changes parameter sets and rate without a gap in the sequence, and is taken back', async () => {
    const client = await playing(30);
    const described = (await client.receive(30)).flatMap(spsOf)[0];
    server.setFault('/cam', { kind: 'other_clip', file: slow });
    const isOther = (packet: ReceivedRtp) => spsOf(packet).some((sps) => sps !== described);
    await client.until(() => client.rtp.some(isOther) || client.isClosed);
    const from = client.rtp.findIndex(isOther);
    await client.receive(from + 30);
    const steps = stepsOf(pictureTimes(client.rtp.slice(from)));
    expect(steps).toContain(RTP_HZ / 5);
    server.clearFault('/cam');
    const isBack = (packet: ReceivedRtp, at: number) => at > from && spsOf(packet).includes(described!);
    await client.until(() => client.rtp.some(isBack) || client.isClosed);
    expectNoGap(client.rtp);
    expect(client.isClosed).toBe(false);
  });
});

it('every fault can be set, is told as it is, and takes the place of the one before', () => {
  const faults: Record<CameraFault['kind'], CameraFault> = {
    drop: { kind: 'drop' },
    freeze: { kind: 'freeze' },
    refuse: { kind: 'refuse' },
    black_hole: { kind: 'black_hole' },
    half_open: { kind: 'half_open' },
    not_found: { kind: 'not_found' },
    wrong_password: { kind: 'wrong_password' },
    no_transport: { kind: 'no_transport', transports: ['udp', 'http'] },
    packet_loss: { kind: 'packet_loss', share: 0.05, seed: 3 },
    reorder: { kind: 'reorder', share: 1 },
    corrupt: { kind: 'corrupt', share: 0.5 },
    time_jump: { kind: 'time_jump', seconds: -1.5 },
    time_still: { kind: 'time_still' },
    other_clip: { kind: 'other_clip', file: slow },
  };
  expect(Object.keys(faults)).toEqual([...CAMERA_FAULT_KINDS]);
  for (const fault of Object.values(faults)) {
    server.setFault('/cam', fault);
    expect(camera().fault).toEqual(fault);
    expect(camera('/other').fault).toBeNull();
  }
  server.clearFault('/cam');
  expect(camera().fault).toBeNull();
  expect(() => server.setFault('/nobody', { kind: 'freeze' })).toThrow(/no simulated camera/);
  const bad = (seed: number) => () => server.setFault('/cam', { kind: 'corrupt', share: 0.1, seed });
  expect(bad(0.5)).toThrow(/seed/);
});

/** How many bits differ; more than one is not counted on. */
function bitsBetween(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let bits = 0;
  for (let i = 0; i < a.length && bits <= 1; i++) {
    let difference = (a[i] as number) ^ (b[i] as number);
    for (; difference; difference &= difference - 1) bits += 1;
  }
  return bits;
}

/** H.264 sequence parameter sets that are packets of their own, or the first of an aggregate, as text. */
function spsOf({ nalTypes, payload }: ReceivedRtp): string[] {
  if (nalTypes[0] !== 7) return [];
  const isAggregate = (payload[0]! & 0x1f) === 24;
  const sps = isAggregate ? payload.subarray(3, 3 + payload.readUInt16BE(1)) : payload;
  return [sps.toString('base64')];
}

function expectNoGap(packets: readonly ReceivedRtp[]): void {
  const first = packets[0]?.sequence ?? 0;
  expect(packets.map(({ sequence }) => sequence)).toEqual(
    packets.map((_, index) => (first + index) % 65_536),
  );
}
