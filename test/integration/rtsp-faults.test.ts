import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RtspServer, type RtspServerOptions } from '../../src/demo/rtsp/server.js';
import { isAlive, makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { pictureTimes, type ReceivedRtp, RtspTestClient } from '../support/rtsp-client.js';

let folder: string;
let clip: string;
let ffmpegPath: string;
const opened: (() => Promise<void> | void)[] = [];

async function open(options: Partial<RtspServerOptions> = {}): Promise<RtspServer> {
  const server = await RtspServer.open({ ffmpegPath, streams: [{ path: '/cam', file: clip }], ...options });
  opened.push(() => server.close());
  return server;
}

async function connect(server: RtspServer): Promise<RtspTestClient> {
  const client = await RtspTestClient.open(server.url('/cam'));
  opened.push(() => client.close());
  return client;
}

function camera(server: RtspServer) {
  const [stats] = server.stats().streams;
  if (!stats) throw new Error('the server has no stream');
  return stats;
}

function expectNoGap(packets: readonly ReceivedRtp[]): void {
  const first = packets[0]?.sequence ?? 0;
  expect(packets.map(({ sequence }) => sequence)).toEqual(
    packets.map((_, index) => (first + index) % 65_536),
  );
}

beforeAll(async () => {
  ffmpegPath = (await npmFfmpeg()).path;
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-rtsp-'));
  const size = { width: 160, height: 96, bFrames: 0 };
  clip = await makeClip(folder, { ...size, name: 'clip.mp4', seconds: 1, keyframes: 25 });
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe('closing', () => {
  it('ends the packetiser and every connection, and frees the port', async () => {
    const server = await open();
    const client = await connect(server);
    await client.play();
    await client.receive(10);
    const { pid } = camera(server);
    expect(pid).not.toBeNull();
    await Promise.all([server.close(), server.close()]);
    expect(isAlive(pid ?? 0)).toBe(false);
    await client.until(() => client.isClosed);
    const again = await open({ port: server.port });
    expect(again.port).toBe(server.port);
    const next = await connect(again);
    await next.play();
    await next.receive(10);
  });

  it('starts no process before the first client asks', async () => {
    const server = await open();
    const client = await connect(server);
    await client.request('OPTIONS');
    expect(camera(server).pid).toBeNull();
  });

  it('says which port is taken', async () => {
    const { port } = await open();
    await expect(open({ port })).rejects.toMatchObject({ code: 'RTSP_LISTEN_FAILED' });
  });
});

describe('faults made on purpose', () => {
  it('freeze keeps the connection and sends nothing; resume goes on with the present', async () => {
    const server = await open();
    const client = await connect(server);
    const { session } = await client.play();
    await client.receive(30);
    server.freeze('/cam');
    // An answer travels behind the packets that were sent before it.
    await client.request('GET_PARAMETER', { Session: session });
    const before = client.rtp.length;
    const picturesAtFreeze = camera(server).pictures;
    await vi.waitFor(() => expect(camera(server).pictures).toBeGreaterThan(picturesAtFreeze + 30), 10_000);
    expect((await client.request('GET_PARAMETER', { Session: session })).status).toBe(200);
    expect(client.rtp.length).toBe(before);
    server.resume('/cam');
    const packets = await client.receive(before + 60);
    expectNoGap(packets);
    const gap = ((packets[before]?.timestamp ?? 0) - (packets[before - 1]?.timestamp ?? 0)) | 0;
    expect(gap).toBeGreaterThan(3600);
    // More than a group of pictures was missed: what follows starts at a keyframe.
    expect(packets[before]?.nalTypes).toContain(7);
  });

  it('disconnectAll drops the clients, who may come back', async () => {
    const server = await open();
    const client = await connect(server);
    await client.play();
    await client.receive(5);
    expect(server.disconnectAll('/cam')).toBe(1);
    await client.until(() => client.isClosed);
    const next = await connect(server);
    await next.play();
    await next.receive(5);
    expect(() => server.disconnectAll('/nobody')).toThrow(/no simulated camera/);
  });
});

describe('faults that happen', () => {
  it('a killed packetiser is replaced; clients see a pause, no break', async () => {
    const server = await open();
    const client = await connect(server);
    await client.play();
    await client.receive(30);
    const { pid } = camera(server);
    process.kill(pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(camera(server)).toMatchObject({ restarts: 1 }), 10_000);
    const before = client.rtp.length;
    const packets = await client.receive(before + 60);
    expectNoGap(packets);
    const times = pictureTimes(packets);
    const steps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) | 0);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThan(90_000 * 30);
    expect(isAlive(pid ?? 0)).toBe(false);
  });

  it('a UDP client whose port closes is forgotten, and so is one that falls silent', async () => {
    const ports = [createSocket('udp4'), createSocket('udp4')] as const;
    for (const socket of ports) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    const [rtp, rtcp] = ports;
    // Any two ports will do: clients choose.
    const [low, high] = [rtp.address().port, rtcp.address().port].sort((a, b) => a - b);
    const setUp = async (server: RtspServer) => {
      const client = await connect(server);
      const transport = `RTP/AVP/UDP;unicast;client_port=${low}-${high}`;
      const reply = await client.request('SETUP', { Transport: transport });
      expect(reply.headers.get('transport')).toMatch(/server_port=(\d*[02468])-\d+/);
      const session = reply.headers.get('session')?.split(';')[0] ?? '';
      const received = Promise.race([once(rtp, 'message'), once(rtcp, 'message')]);
      await client.request('PLAY', { Session: session });
      await received;
    };
    const impatient = await open({ sessionTimeoutS: 1 });
    await setUp(impatient);
    await vi.waitFor(() => expect(impatient.stats().sessions).toEqual([]), 10_000);
    // Here silence is allowed for a minute: the closed port must be noticed on its own.
    const patient = await open();
    await setUp(patient);
    rtp.close();
    rtcp.close();
    await vi.waitFor(() => expect(patient.stats().sessions).toEqual([]), 10_000);
  });
});
