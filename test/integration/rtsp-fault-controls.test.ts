import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readSenderReport } from '../../src/demo/rtsp/rtp.js';
import { CAMERA_FAULT_KINDS, type CameraFault } from '../../src/demo/rtsp/server.js';
import { seededRandom } from '../../src/lib/random.js';
import { FaultyCameras } from '../support/faulty-cameras.js';
import { pictureTimes, type ReceivedRtp, type RtspTestClient } from '../support/rtsp-client.js';

/* What a client receives, byte for byte, while a simulated camera is at fault. */

const RTP_HZ = 90_000;
let cameras: FaultyCameras;
beforeAll(async () => {
  cameras = await FaultyCameras.open();
}, 60_000);
afterEach(() => cameras.heal());
afterAll(() => cameras?.[Symbol.asyncDispose]());

/** Places of the packets in the order of sending, counted from what PLAY announces. */
async function placesOf(client: RtspTestClient, count: number): Promise<number[]> {
  const { play } = await client.play();
  const first = Number(/seq=(\d+)/.exec(play.headers.get('rtp-info') ?? '')?.[1]);
  return (await client.receive(count)).map(({ sequence }) => (sequence - first) & 0xffff);
}

const stepsOf = (times: readonly number[]) =>
  times.slice(1).map((time, index) => (time - (times[index] as number)) | 0);

describe('packets', () => {
  it('are lost as the seed says, the same ones for each client', async () => {
    const [share, seed, count] = [0.2, 7, 200];
    cameras.server.setFault('/cam', { kind: 'packet_loss', share, seed });
    const random = seededRandom(seed);
    const expected: number[] = [];
    for (let place = 0; expected.length < count; place += 1) if (!random.chance(share)) expected.push(place);
    const [one, other] = [await cameras.connect(), await cameras.connect()];
    expect(await placesOf(one, count)).toEqual(expected);
    expect(await placesOf(other, count)).toEqual(expected);
    expect(cameras.stats().faultyPackets).toBeGreaterThan(0.1 * count);
    cameras.server.setFault('/cam', { kind: 'packet_loss', share, seed: seed + 1 });
    expect(await placesOf(await cameras.connect(), count)).not.toEqual(expected);
  });

  it('change places with their neighbours, and none is lost', async () => {
    cameras.server.setFault('/cam', { kind: 'reorder', share: 0.3 });
    const client = await cameras.connect();
    const places = await placesOf(client, 300);
    const moved = places.filter((place, index) => place !== index);
    expect(moved.length).toBeGreaterThan(30);
    for (const [index, place] of places.entries()) expect(Math.abs(place - index)).toBeLessThanOrEqual(1);
    expect(cameras.stats().faultyPackets).toBeGreaterThanOrEqual(Math.floor(moved.length / 2));
  });

  it('come with one bit turned over', async () => {
    const { client } = await cameras.playing();
    const known = await client.receive(400);
    const clean = new Set(known.map(({ payload }) => payload.toString('latin1')));
    cameras.server.setFault('/cam', { kind: 'corrupt', share: 1 });
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
    const { client } = await cameras.playing(60);
    cameras.server.setFault('/cam', { kind: 'time_jump', seconds });
    const packets = await client.receive(client.rtp.length + 300);
    const steps = stepsOf(pictureTimes(packets));
    const leaps = steps.filter((step) => step !== RTP_HZ / 25);
    expect(leaps).toEqual([(seconds * RTP_HZ + RTP_HZ / 25) | 0]);
    expectNoGap(packets);
    const { client: late } = await cameras.playing(1);
    await late.until(() => late.rtcp.length > 0);
    const before = readSenderReport(client.rtcp[0]!)!;
    const after = readSenderReport(late.rtcp[0]!)!;
    const ntpOf = ({ ntpSeconds, ntpFraction }: typeof before) => ntpSeconds + ntpFraction / 2 ** 32;
    const ntpStepS = ntpOf(after) - ntpOf(before);
    const rtpStepS = ((after.rtpTimestamp - before.rtpTimestamp) | 0) / RTP_HZ;
    expect(rtpStepS).toBeCloseTo(ntpStepS, 1);
    expect(Math.abs(ntpStepS - seconds)).toBeLessThan(30);
    // Set is set: clearing changes nothing.
    cameras.server.clearFault('/cam');
    const start = client.rtp.length;
    const later = (await client.receive(start + 100)).slice(start);
    expect(new Set(stepsOf(pictureTimes(later)))).toEqual(new Set([RTP_HZ / 25]));
  });

  it('stands still, and goes on with the present', async () => {
    const { client } = await cameras.playing(60);
    cameras.server.setFault('/cam', { kind: 'time_still' });
    const count = client.rtp.length;
    const still = (await client.receive(count + 300)).slice(count + 60);
    expect(new Set(still.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(still.filter(({ hasMarker }) => hasMarker).length).toBeGreaterThan(10);
    cameras.server.clearFault('/cam');
    await client.until(() => client.rtp.at(-1)?.timestamp !== still[0]?.timestamp || client.isClosed);
    // One read may bring the picture after the leap as well.
    const [step] = stepsOf(pictureTimes(client.rtp.slice(count + 60)));
    expect(step).toBeGreaterThan(RTP_HZ / 2);
    // Who comes now gets pictures of the time that stood, but not its end in the midst of them.
    const { client: late } = await cameras.playing(60);
    expect(new Set(stepsOf(pictureTimes(late.rtp)))).toEqual(new Set([RTP_HZ / 25]));
  });
});

describe('another clip in mid-stream', () => {
  it('changes parameter sets and rate without a gap in the sequence, and is taken back', async () => {
    const { client } = await cameras.playing(30);
    const described = (await client.receive(30)).flatMap(spsOf)[0];
    cameras.server.setFault('/cam', { kind: 'other_clip', file: cameras.slowClip });
    const isOther = (packet: ReceivedRtp) => spsOf(packet).some((sps) => sps !== described);
    await client.until(() => client.rtp.some(isOther) || client.isClosed);
    const from = client.rtp.findIndex(isOther);
    await client.receive(from + 30);
    const steps = stepsOf(pictureTimes(client.rtp.slice(from)));
    expect(steps).toContain(RTP_HZ / 5);
    cameras.server.clearFault('/cam');
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
    other_clip: { kind: 'other_clip', file: cameras.slowClip },
  };
  expect(Object.keys(faults)).toEqual([...CAMERA_FAULT_KINDS]);
  for (const fault of Object.values(faults)) {
    cameras.server.setFault('/cam', fault);
    expect(cameras.stats().fault).toEqual(fault);
    expect(cameras.stats('/other').fault).toBeNull();
  }
  cameras.server.clearFault('/cam');
  expect(cameras.stats().fault).toBeNull();
  expect(() => cameras.server.setFault('/nobody', { kind: 'freeze' })).toThrow(/no simulated camera/);
  const bad = (seed: number) => () => cameras.server.setFault('/cam', { kind: 'corrupt', share: 0.1, seed });
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
