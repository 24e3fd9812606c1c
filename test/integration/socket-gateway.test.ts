import { afterEach, expect, it } from 'vitest';
import { opened } from '../contract/episode-store.suite.js';
import {
  cameraEvent,
  connected,
  detections,
  next,
  rawEmit,
  type Stack,
  startStack,
  stats,
} from './socket-support.js';

let stack: Stack;
afterEach(() => stack.close());

it('answers a subscription with states, sequence and the newest detections, then tells what comes', async () => {
  stack = await startStack();
  stack.bus.publish('detections', detections('gate', 1));
  stack.bus.publish('detections', detections('gate', 2));
  await stack.store.append(opened('before'));
  const client = stack.client();
  const first = next(client, 'detections');
  const reply = await client.emitWithAck('subscribe', { cameras: ['gate'] });
  expect(reply).toMatchObject({
    ok: true,
    sequence: 1,
    cameras: [{ v: 1, cameraId: 'gate', name: 'Camera gate', state: 'live' }],
  });
  expect(await first).toMatchObject({ v: 1, cameraId: 'gate', frameId: 2, width: 1280 });

  const seen: string[] = [];
  client.onAny((name, payload) => seen.push(`${name} ${payload.cameraId ?? ''}`));
  stack.bus.publish('detections', detections('hall', 3));
  stack.bus.publish('camera', cameraEvent('hall'));
  stack.bus.publish('camera', cameraEvent('gate', { state: 'stalled' }));
  const episode = next(client, 'episode');
  stack.journal.record(opened('e1'));
  expect(await episode).toMatchObject({ v: 1, sequence: 2, id: 'e1', change: 'opened', cameraId: 'gate' });
  expect(seen).toEqual(['camera gate', 'episode gate']);
});

it('shows no old detections of a camera that is not live any more to who comes later', async () => {
  stack = await startStack();
  for (const id of ['gate', 'hall']) stack.bus.publish('detections', detections(id, 1));
  stack.bus.publish('camera', cameraEvent('gate', { state: 'stalled' }));
  // The frame that was in hand.
  stack.bus.publish('detections', detections('gate', 2));
  const client = stack.client();
  const seen: string[] = [];
  client.on('detections', ({ cameraId, frameId }) => seen.push(`${cameraId}/${frameId}`));
  await client.emitWithAck('subscribe', { cameras: 'all' });
  await expect.poll(() => seen).toContain('hall/1');
  stack.bus.publish('camera', cameraEvent('gate'));
  stack.bus.publish('detections', detections('gate', 3));
  await expect.poll(() => seen).toEqual(['hall/1', 'gate/3']);
});

it('loses nothing for a client that keeps up, though many cameras tell within one tick', async () => {
  stack = await startStack();
  const ids = Array.from({ length: 16 }, (_, n) => `cam${n}`);
  for (const id of ids) stack.cameras.set(id, cameraEvent(id));
  const client = stack.client();
  await client.emitWithAck('subscribe', { cameras: 'all' });
  const seen: string[] = [];
  client.on('detections', ({ cameraId, frameId }) => seen.push(`${cameraId}/${frameId}`));
  for (let frameId = 1; frameId <= 5; frameId += 1) {
    for (const id of ids) stack.bus.publish('detections', detections(id, frameId));
    await expect.poll(() => seen.length).toBe(frameId * ids.length);
  }
  expect(new Set(seen).size).toBe(80);
  expect(await stack.metric('maskwatch_messages_sent_total{event="detections"}')).toBe(80);
  expect(await stack.metric('maskwatch_messages_dropped_total{event="detections"}')).toBe(0);
});

it('sends pictures only to who asked, and knows whether anybody watches', async () => {
  stack = await startStack();
  const watcher = stack.client();
  const other = stack.client();
  await other.emitWithAck('subscribe', { cameras: 'all' });
  expect(stack.gateway.hasPictureViewers('gate')).toBe(false);
  await watcher.emitWithAck('subscribe', { cameras: ['gate'], pictures: true });
  expect(stack.gateway.hasPictureViewers('gate')).toBe(true);
  expect(stack.gateway.hasPictureViewers('hall')).toBe(false);
  const picture = next(watcher, 'picture');
  let wasTold = false;
  other.on('picture', () => {
    wasTold = true;
  });
  const jpeg = new Uint8Array([0xff, 0xd8, 1, 2, 3]);
  stack.bus.publish('picture', { cameraId: 'gate', frameId: 7, capturedAtMs: 0, jpeg });
  const received = await picture;
  expect(received).toMatchObject({ v: 1, cameraId: 'gate', frameId: 7 });
  expect([...new Uint8Array(received.jpeg)]).toEqual([0xff, 0xd8, 1, 2, 3]);
  await other.emitWithAck('unsubscribe', { cameras: ['hall'] });
  expect(wasTold).toBe(false);
  expect(await watcher.emitWithAck('unsubscribe', { cameras: 'all' })).toEqual({ ok: true, cameras: [] });
  expect(stack.gateway.hasPictureViewers('gate')).toBe(false);
});

it('stops watching when the last viewer goes', async () => {
  stack = await startStack();
  const watcher = stack.client();
  await watcher.emitWithAck('subscribe', { cameras: 'all', pictures: true });
  expect(stack.gateway.hasPictureViewers('hall')).toBe(true);
  watcher.close();
  await expect.poll(() => stack.gateway.hasPictureViewers('hall')).toBe(false);
  await expect.poll(() => stack.metric('maskwatch_clients_connected')).toBe(0);
});

it('brings cameras that are added later to who asked for all, and takes removed ones away', async () => {
  stack = await startStack();
  const client = stack.client();
  await client.emitWithAck('subscribe', { cameras: 'all', pictures: true });
  stack.cameras.set('roof', cameraEvent('roof'));
  const told = next(client, 'camera');
  stack.bus.publish('camera', cameraEvent('roof', { state: 'connecting' }));
  expect(await told).toMatchObject({ cameraId: 'roof', state: 'connecting' });
  expect(stack.gateway.hasPictureViewers('roof')).toBe(true);
  const removed = next(client, 'camera:removed');
  stack.cameras.delete('roof');
  stack.bus.publish('cameraRemoved', { cameraId: 'roof' });
  expect(await removed).toEqual({ v: 1, cameraId: 'roof' });
  expect(stack.gateway.hasPictureViewers('roof')).toBe(false);
});

it('gives a client what it missed, page by page', async () => {
  stack = await startStack();
  for (let n = 1; n <= 5; n += 1) await stack.store.append(opened(`e${n}`));
  const client = stack.client();
  const first = await client.emitWithAck('episodes:since', { sequence: 1, limit: 3 });
  expect(first).toMatchObject({ ok: true, sequence: 4, hasMore: true });
  const second = await client.emitWithAck('episodes:since', { sequence: 4, limit: 3 });
  expect(second).toMatchObject({
    ok: true,
    sequence: 5,
    hasMore: false,
    episodes: [{ id: 'e5', sequence: 5 }],
  });
  // The file was replaced: what the client has seen is not what there is.
  const other = await client.emitWithAck('episodes:since', { sequence: 4711 });
  expect(other).toMatchObject({ ok: true, sequence: 5, hasMore: false });
  expect(other.ok && other.episodes).toHaveLength(5);
});

it('lets the first of two operators decide, and shows the second what there is', async () => {
  stack = await startStack();
  await stack.store.append(opened('e1'));
  const [ann, bob] = [stack.client(), stack.client()];
  await Promise.all([ann, bob].map((client) => client.emitWithAck('subscribe', { cameras: 'all' })));
  const told = next(bob, 'episode');
  expect(await ann.emitWithAck('episode:acknowledge', { id: 'e1', version: 1 })).toMatchObject({
    ok: true,
    episode: { version: 2, change: 'acknowledged', verdict: 'acknowledged', sequence: 2 },
  });
  expect(await told).toMatchObject({ id: 'e1', change: 'acknowledged', by: 'anonymous' });
  expect(await bob.emitWithAck('episode:reject', { id: 'e1', version: 1, reason: 'a beard' })).toMatchObject({
    ok: false,
    error: { code: 'EPISODE_VERSION_CONFLICT' },
    current: { version: 2, verdict: 'acknowledged' },
  });
  expect(await bob.emitWithAck('episode:acknowledge', { id: 'none', version: 1 })).toMatchObject({
    ok: false,
    error: { code: 'EPISODE_NOT_FOUND' },
  });
});

it('survives whatever a client sends', async () => {
  stack = await startStack();
  const client = stack.client();
  await connected(client);
  const names = ['subscribe', 'unsubscribe', 'episodes:since', 'episode:acknowledge', 'episode:reject'];
  const rubbish = [
    [],
    [null],
    [42],
    ['all'],
    [{}],
    [{ cameras: 5 }],
    [{ cameras: { length: 3 } }],
    [[], {}, 7],
  ];
  for (const name of names) for (const args of rubbish) rawEmit(client, name, ...args);
  rawEmit(client, 'subscribe', { cameras: [''] });
  rawEmit(client, 'no such event', { a: 1 }, () => undefined);
  // Only an acknowledgement, no request.
  const other = stack.client();
  const reply = await new Promise((resolve) => rawEmit(other, 'subscribe', resolve));
  expect(reply).toMatchObject({ ok: false, error: { code: 'REQUEST_INVALID', message: expect.any(String) } });
  // A misspelt request is answered too.
  const unknown = await new Promise((resolve) => rawEmit(other, 'subscirbe', { cameras: 'all' }, resolve));
  expect(unknown).toMatchObject({
    ok: false,
    error: { code: 'REQUEST_INVALID', message: 'request: there is no request called "subscirbe"' },
  });
  expect(await other.emitWithAck('subscribe', { cameras: ['nowhere'] })).toMatchObject({
    ok: false,
    error: { code: 'CAMERA_NOT_FOUND', message: expect.stringContaining('nowhere') },
  });
  expect(await other.emitWithAck('subscribe', { cameras: ['gate'] })).toMatchObject({ ok: true });
  expect(stack.errors).toEqual([]);
});

it('limits how often a client may ask, and serves the others', async () => {
  stack = await startStack();
  const [greedy, modest] = [stack.client(), stack.client()];
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => greedy.emitWithAck('episodes:since', { sequence: 0 })),
  );
  const refused = replies.filter((reply) => !reply.ok && reply.error.code === 'RATE_LIMITED');
  expect(refused.length).toBeGreaterThan(50);
  expect(replies.filter((reply) => reply.ok).length).toBeGreaterThanOrEqual(40);
  expect(await modest.emitWithAck('episodes:since', { sequence: 0 })).toMatchObject({ ok: true });
  expect(await stack.metric('maskwatch_clients_refused_total{reason="rate_limited"}')).toBe(refused.length);
});

it('cuts off a client that sends too much at once', async () => {
  stack = await startStack();
  const client = stack.client({ reconnection: false });
  await connected(client);
  const gone = new Promise<string>((resolve) => client.once('disconnect', resolve));
  rawEmit(client, 'subscribe', { cameras: ['x'.repeat(100_000)] });
  expect(await gone).toMatch(/transport/);
});

it('tells statistics to everybody', async () => {
  stack = await startStack();
  const client = stack.client();
  await connected(client);
  const told = next(client, 'stats');
  stack.bus.publish('stats', stats(['gate', 'hall']));
  expect(await told).toMatchObject({ v: 1, perCamera: { gate: { analysedFps: 5 }, hall: {} } });
});
