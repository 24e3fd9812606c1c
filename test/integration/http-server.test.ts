import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpServer } from '../../src/http/http-server.js';
import type { ReadinessInput } from '../../src/http/readiness.js';
import { connected, READY, type Stack, startStack } from './socket-support.js';

let stack: Stack | null = null;
const folders: string[] = [];
afterEach(async () => {
  await stack?.close();
  stack = null;
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${stack?.http.url}${path}`, { headers });

/** `fetch` cannot set Host. */
function statusWithHost(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

async function builtPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'maskwatch-web-'));
  folders.push(folder);
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Maskwatch</title>');
  await writeFile(join(folder, 'assets', 'index-abc.js'), 'export {};');
  await writeFile(join(folder, '.secret'), 'x');
  return folder;
}

describe('health', () => {
  it('is alive from the start; ready once a model is loaded and a camera live', async () => {
    let input: ReadinessInput = { ...READY, isModelLoaded: false, cameraStates: ['connecting'] };
    stack = await startStack({ readiness: () => input });
    expect((await get('/healthz')).status).toBe(200);
    const starting = await get('/readyz');
    expect(starting.status).toBe(503);
    expect(await starting.json()).toMatchObject({
      status: 'not_ready',
      checks: { model: { ok: false }, cameras: { ok: false, configured: 1, live: 0 } },
    });
    for (const [change, status, word] of [
      [{ isModelLoaded: true }, 503, 'not_ready'],
      [{ cameraStates: ['live', 'stalled'] }, 200, 'degraded'],
      [{ cameraStates: ['live'] }, 200, 'ready'],
      [{ storeFailure: 'no space is left', pendingEpisodeChanges: 3 }, 200, 'degraded'],
      [{ cameraStates: [], storeFailure: null }, 200, 'ready'],
      [{ workersReady: 0 }, 503, 'not_ready'],
      [{ workersReady: 1 }, 200, 'ready'],
      [{ isClosing: true }, 503, 'not_ready'],
    ] as const) {
      input = { ...input, ...change };
      const response = await get('/readyz');
      const body = (await response.json()) as { status: string };
      expect([response.status, body.status]).toEqual([status, word]);
    }
  });
});

describe('metrics', () => {
  it('are open where nobody needs a token', async () => {
    stack = await startStack();
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await response.text()).toContain('maskwatch_build_info');
  });

  it('are open to this machine, and need a token when asked for others by a proxy', async () => {
    stack = await startStack({ hasAuth: true });
    expect((await get('/metrics')).status).toBe(200);
    const forwarded = { 'x-forwarded-for': '203.0.113.5' };
    const refused = await get('/metrics', forwarded);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ status: 401, code: 'AUTH_REQUIRED', title: 'Unauthorized' });
    const token = await stack.authority.issue({ subject: 'prometheus', cameras: [] });
    const allowed = await get('/metrics', { ...forwarded, authorization: `Bearer ${token}` });
    expect(allowed.status).toBe(200);
    expect((await get('/metrics', { ...forwarded, authorization: 'Bearer x' })).status).toBe(401);
    expect((await get('/healthz', forwarded)).status).toBe(200);
  });
});

describe('page', () => {
  it('is served with headers that keep it to itself', async () => {
    stack = await startStack({ webRoot: await builtPage() });
    const page = await get('/');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Maskwatch');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const asset = await get('/assets/index-abc.js');
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect((await get('/.secret')).status).toBeGreaterThanOrEqual(403);
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/assets/..%2f..%2fx'])
      expect((await get(path)).status).toBeGreaterThanOrEqual(400);
  });

  it('says what to do when it was not built', async () => {
    stack = await startStack();
    const response = await get('/');
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build');
  });

  it('answers problem details for what is not there, and for what is malformed', async () => {
    stack = await startStack({ webRoot: await builtPage() });
    const missing = await get('/nothing?token=abc');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toContain('application/problem+json');
    const problem = await missing.json();
    expect(problem).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      title: 'Not Found',
      instance: '/nothing',
    });
    expect(JSON.stringify(problem)).not.toContain('abc');
    expect((await get('/%zz')).status).toBe(400);
  });
});

describe('who may ask', () => {
  it('answers to its own names and addresses alone while nobody needs a token', async () => {
    stack = await startStack();
    const { port } = new URL(stack.http.url);
    const status = (host: string) => statusWithHost(`${stack?.http.url}/healthz`, host);
    expect(await status('evil.example')).toBe(403);
    expect(await status(`evil.example:${port}`)).toBe(403);
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status(`[::1]:${port}`)).toBe(200);
    expect(await status('192.168.1.7')).toBe(200);
    const crossSite = await get('/metrics', { origin: 'https://evil.example' });
    expect(crossSite.status).toBe(403);
    expect(await crossSite.json()).toMatchObject({ code: 'REQUEST_ORIGIN_REFUSED' });
  });

  it('answers to any name when tokens are needed', async () => {
    stack = await startStack({ hasAuth: true });
    expect(await statusWithHost(`${stack.http.url}/healthz`, 'cameras.example')).toBe(200);
  });
});

describe('listening', () => {
  const options = {
    webRoot: '/nowhere',
    metrics: { text: async () => '', contentType: 'text/plain' },
    readiness: () => ({}) as never,
  };

  it('refuses to listen for everybody without authentication', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.7', 'example.org'])
      await expect(HttpServer.open({ ...options, host, port: 0 })).rejects.toMatchObject({
        code: 'CONFIG_UNSAFE_BIND',
        exitCode: 2,
        path: 'server.host',
      });
  });

  it('says that a port is taken, and what to do', async () => {
    stack = await startStack();
    const port = Number(new URL(stack.http.url).port);
    await expect(HttpServer.open({ ...options, host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'SERVER_PORT_IN_USE',
      hint: expect.stringContaining('--port'),
    });
  });

  it('says that an address is not of this machine', async () => {
    const auth = { verify: async () => undefined };
    await expect(HttpServer.open({ ...options, auth, host: '203.0.113.1', port: 0 })).rejects.toMatchObject({
      code: 'SERVER_LISTEN_FAILED',
      path: 'server.host',
    });
  });

  it('closes though somebody is still connected, twice', async () => {
    stack = await startStack();
    const client = stack.client();
    await connected(client);
    const { url } = stack.http;
    await get('/healthz');
    await stack.http.close();
    await stack.http.close();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
