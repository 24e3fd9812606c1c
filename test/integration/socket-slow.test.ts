import type { EventEmitter } from 'node:events';
import type { Socket as NetSocket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { opened } from '../contract/episode-store.suite.js';
import { connected, detections, next, type Stack, startStack, type TestClient } from './socket-support.js';

let stack: Stack;
afterEach(() => stack.close());

/** The TCP connection under a client, to stop reading as a frozen machine does. */
function wire(client: TestClient): NetSocket {
  const transport = client.io.engine.transport as unknown as { ws: { _socket: NetSocket } };
  return transport.ws._socket;
}

const jpeg = (sizeBytes: number, fill: number) => new Uint8Array(sizeBytes).fill(fill);

it('keeps only the newest for a client that stands still, and serves the others meanwhile', async () => {
  stack = await startStack();
  const slow = stack.client({ forceNew: true });
  const fast = stack.client({ forceNew: true });
  for (const client of [slow, fast])
    await client.emitWithAck('subscribe', { cameras: ['gate'], pictures: true });
  const slowFrames: number[] = [];
  const fastFrames: number[] = [];
  slow.on('picture', ({ frameId }) => slowFrames.push(frameId));
  fast.on('picture', ({ frameId }) => fastFrames.push(frameId));

  wire(slow).pause();
  const count = 200;
  for (let frameId = 1; frameId <= count; frameId += 1) {
    stack.bus.publish('picture', {
      cameraId: 'gate',
      frameId,
      capturedAtMs: 0,
      jpeg: jpeg(200_000, frameId),
    });
    await expect.poll(() => fastFrames.at(-1), { interval: 2 }).toBe(frameId);
  }
  expect(fastFrames).toHaveLength(count);
  const dropped = await stack.metric('maskwatch_messages_dropped_total{event="picture"}');
  expect(dropped).toBeGreaterThan(count / 2);

  wire(slow).resume();
  // The newest arrives, without another being published, and nothing out of order.
  await expect.poll(() => slowFrames.at(-1)).toBe(count);
  expect(slowFrames).toHaveLength(count - dropped);
  expect(slowFrames).toEqual([...slowFrames].sort((a, b) => a - b));
});

it('sends a client away that takes no episodes, and gives it all of them when it comes back', async () => {
  stack = await startStack({ maxBacklog: 20 });
  const client = stack.client();
  await client.emitWithAck('subscribe', { cameras: ['gate'], pictures: true });
  const sequences = new Set<number>();
  client.on('episode', ({ sequence }) => sequences.add(sequence));
  let pictureCount = 0;
  client.on('picture', () => {
    pictureCount += 1;
  });
  client.on('disconnect', () => {
    pictureCount = 0;
  });
  stack.journal.record(opened('e1'));
  await expect.poll(() => sequences.size).toBe(1);

  wire(client).pause();
  // Fills the buffers of both kernels, so that the transport is busy from now on.
  for (let frameId = 1; frameId <= 100; frameId += 1) {
    stack.bus.publish('picture', { cameraId: 'gate', frameId, capturedAtMs: 0, jpeg: jpeg(500_000, 1) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let n = 2; n <= 60; n += 1) stack.journal.record(opened(`e${n}`));
  await expect.poll(() => stack.metric('maskwatch_clients_refused_total{reason="slow"}')).toBe(1);
  await expect.poll(() => stack.gateway.clientCount).toBe(0);

  const back = new Promise<void>((resolve) => client.once('connect', resolve));
  wire(client).resume();
  await back;
  expect(client.recovered).toBe(true);
  await expect.poll(() => sequences.size).toBe(60);
  // Pictures that went lost are not kept to be sent late.
  expect(pictureCount).toBe(0);
});

it('gives a client whose connection broke the episodes that it missed, and no old boxes', async () => {
  stack = await startStack();
  const client = stack.client();
  await client.emitWithAck('subscribe', { cameras: ['gate'] });
  const episode = next(client, 'episode');
  stack.journal.record(opened('e1'));
  await episode;
  const seen: string[] = [];
  client.on('episode', ({ id }) => seen.push(id));
  client.on('detections', ({ frameId }) => seen.push(`frame ${frameId}`));
  const isBack = new Promise<void>((resolve) => client.once('connect', resolve));
  // These two are sent, and lost on the way.
  wire(client).removeAllListeners('data');
  for (const frameId of [1, 2]) stack.bus.publish('detections', detections('gate', frameId));
  await expect.poll(() => stack.metric('maskwatch_messages_sent_total{event="detections"}')).toBe(2);
  wire(client).destroy();
  await expect.poll(() => stack.gateway.clientCount).toBe(0);
  stack.journal.record(opened('e2'));
  for (const frameId of [3, 4]) stack.bus.publish('detections', detections('gate', frameId));
  await isBack;
  expect(client.recovered).toBe(true);
  await expect.poll(() => seen).toEqual(['e2', 'frame 4']);
});

it('does not restore the session of a token that has ended', async () => {
  stack = await startStack({ hasAuth: true });
  const token = await stack.authority.issue({ subject: 'ann', cameras: 'all', expiresInSeconds: 2 });
  const client = stack.client({ auth: { token } });
  await client.emitWithAck('subscribe', { cameras: 'all' });
  const episode = next(client, 'episode');
  stack.journal.record(opened('e1'));
  await episode;
  // On the wire: a client hides events that come before it is let in.
  const seen: unknown[] = [];
  (client.io as unknown as EventEmitter).on('packet', ({ data }: { data: unknown }) => seen.push(data));
  client.io.reconnection(false);
  client.io.engine.close();
  await expect.poll(() => stack.gateway.clientCount).toBe(0);
  stack.journal.record(opened('secret'));
  const expiresAtMs = (await stack.authority.verify(token).then(
    (principal) => principal.expiresAtMs,
    () => 0,
  ))!;
  await expect.poll(() => Date.now() > expiresAtMs + 50, { timeout: 5000 }).toBe(true);
  const refused = connected(client);
  client.connect();
  await expect(refused).rejects.toMatchObject({ data: { code: 'AUTH_EXPIRED' } });
  expect(seen).toMatchObject([{ data: { code: 'AUTH_EXPIRED' } }]);
});

it('closes under connected clients, which then look for it again', async () => {
  stack = await startStack();
  const client = stack.client();
  await connected(client);
  const reason = new Promise<string>((resolve) => client.once('disconnect', resolve));
  await stack.gateway.close();
  await stack.gateway.close();
  expect(await reason).toBe('transport close');
  expect(client.active).toBe(true);
});
