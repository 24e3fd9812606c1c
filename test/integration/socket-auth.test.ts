import { afterEach, expect, it } from 'vitest';
import { TokenAuthority } from '../../src/http/auth.js';
import { opened } from '../contract/episode-store.suite.js';
import { connected, detections, next, type Stack, startStack, stats } from './socket-support.js';

let stack: Stack;
afterEach(() => stack.close());

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

it('refuses who has no token, a foreign one, or one that ended, and says why', async () => {
  stack = await startStack({ hasAuth: true });
  const foreign = await new TokenAuthority('another secret of thirty-two characters').issue({
    subject: 'eve',
    cameras: 'all',
  });
  const ended = await stack.authority.issue({ subject: 'ann', cameras: 'all', expiresInSeconds: -10 });
  const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"eve","cameras":"all","iss":"maskwatch"}')}.`;
  for (const [token, code] of [
    [undefined, 'AUTH_REQUIRED'],
    [{ not: 'a string' }, 'AUTH_REQUIRED'],
    [foreign, 'AUTH_INVALID'],
    [unsigned, 'AUTH_INVALID'],
    ['rubbish', 'AUTH_INVALID'],
    [ended, 'AUTH_EXPIRED'],
  ] as const) {
    const client = stack.client({ auth: { token }, reconnection: false, forceNew: true });
    expect(await failure(connected(client))).toMatchObject({ data: { code } });
  }
  expect(stack.gateway.clientCount).toBe(0);
  expect(await stack.metric('maskwatch_clients_refused_total{reason="unauthorized"}')).toBe(6);
});

it('shows a token only its cameras, in every answer', async () => {
  stack = await startStack({ hasAuth: true });
  await stack.store.append(opened('mine', { cameraId: 'gate' }));
  await stack.store.append(opened('theirs', { cameraId: 'hall' }));
  const token = await stack.authority.issue({ subject: 'ann', cameras: ['gate', 'later'] });
  const client = stack.client({ auth: { token } });
  expect(await client.emitWithAck('subscribe', { cameras: ['hall'] })).toMatchObject({
    ok: false,
    error: { code: 'CAMERA_FORBIDDEN' },
  });
  // Whether a camera exists is not told either.
  expect(await client.emitWithAck('subscribe', { cameras: ['nowhere'] })).toMatchObject({
    ok: false,
    error: { code: 'CAMERA_FORBIDDEN' },
  });
  const all = await client.emitWithAck('subscribe', { cameras: 'all', pictures: true });
  expect(all.ok && all.cameras.map((camera) => camera.cameraId)).toEqual(['gate']);
  const since = await client.emitWithAck('episodes:since', { sequence: 0 });
  expect(since).toMatchObject({ ok: true, sequence: 2, hasMore: false, episodes: [{ id: 'mine' }] });
  expect(since.ok && since.episodes).toHaveLength(1);
  expect(await client.emitWithAck('episode:acknowledge', { id: 'theirs', version: 1 })).toMatchObject({
    ok: false,
    error: { code: 'EPISODE_NOT_FOUND' },
  });
  expect(await client.emitWithAck('episode:acknowledge', { id: 'mine', version: 1 })).toMatchObject({
    ok: true,
    episode: { by: 'ann' },
  });

  const seen: unknown[] = [];
  client.onAny((name, payload) => seen.push([name, payload]));
  stack.bus.publish('detections', detections('hall', 1));
  stack.bus.publish('camera', { ...stack.cameras.get('hall')!, name: 'Hall' });
  stack.journal.record(opened('other', { cameraId: 'hall' }));
  const told = next(client, 'stats');
  await expect.poll(() => stack.journal.pendingCount).toBe(0);
  stack.bus.publish('stats', stats(['gate', 'hall']));
  const { perCamera, cameras, analysedFps, openEpisodes } = await told;
  expect(Object.keys(perCamera)).toEqual(['gate']);
  expect({ live: cameras.live, analysedFps, openEpisodes }).toEqual({
    ...{ live: 1, analysedFps: 5, openEpisodes: 1 },
  });
  expect(seen).toHaveLength(1);
  expect(stack.gateway.hasPictureViewers('hall')).toBe(false);
});

it('ends a connection when its token ends', async () => {
  stack = await startStack({ hasAuth: true });
  const token = await stack.authority.issue({ subject: 'ann', cameras: 'all', expiresInSeconds: 2 });
  const client = stack.client({ auth: { token }, reconnection: false });
  await connected(client);
  const reason = await new Promise<string>((resolve) => client.once('disconnect', resolve));
  expect(reason).toBe('io server disconnect');
  await expect.poll(() => stack.metric('maskwatch_clients_refused_total{reason="expired"}')).toBe(1);
});

it('refuses pages of other origins and foreign names for this host, but not programs', async () => {
  stack = await startStack();
  const host = new URL(stack.http.url).host;
  const attempt = (headers: Record<string, string>, transport: string) =>
    failure(
      connected(
        stack.client({ extraHeaders: headers, transports: [transport], reconnection: false, forceNew: true }),
      ),
    );
  for (const transport of ['websocket', 'polling']) {
    expect(await attempt({ origin: 'https://evil.example' }, transport)).toBeInstanceOf(Error);
    expect(await attempt({ origin: 'null' }, transport)).toBeInstanceOf(Error);
    expect(await attempt({ host: 'evil.example', origin: 'http://evil.example' }, transport)).toBeInstanceOf(
      Error,
    );
    expect(await attempt({ origin: `http://${host}` }, transport)).toBeNull();
    expect(await attempt({}, transport)).toBeNull();
  }
  expect(await stack.metric('maskwatch_clients_refused_total{reason="origin"}')).toBe(6);
});

it('refuses more clients than it may have', async () => {
  stack = await startStack({ maxClients: 1 });
  await connected(stack.client());
  expect(await failure(connected(stack.client({ reconnection: false, forceNew: true })))).toMatchObject({
    data: { code: 'CLIENTS_TOO_MANY' },
  });
});
