import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HostCheck, hostCheckLimitMs } from '../../../src/ingest/host-check.js';

const never = new AbortController().signal;
let server: Server | undefined;
const sockets = new Set<Socket>();

async function listen(answer: (socket: Socket, text: string) => void): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (bytes) => answer(socket, bytes.toString()));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (!server) return;
  server.close();
  await once(server, 'close');
  server = undefined;
});

const check = (url: string, timeoutMs = 5000) => new HostCheck({ url, timeoutMs }).check(never);

describe('HostCheck', () => {
  it('is content with any RTSP answer, and sends no credentials', async () => {
    let asked = '';
    const port = await listen((socket, text) => {
      asked = text;
      socket.write('RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n');
    });
    expect(await check(`rtsp://us:s3cret@127.0.0.1:${port}/cam?x=1`)).toBeNull();
    expect(asked).toMatch(new RegExp(`^OPTIONS rtsp://127\\.0\\.0\\.1:${port}/cam\\?x=1 RTSP/1\\.0\r\n`));
    expect(asked).not.toContain('s3cret');
  });

  it('tells a closed port, a name that is none and another protocol apart', async () => {
    const port = await listen((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await check(`rtsp://127.0.0.1:${port}/`)).toMatchObject({
      reason: 'invalid_data',
      message: `What answers at 127.0.0.1:${port} does not speak RTSP: is the port right?`,
    });
    server!.close();
    for (const socket of sockets) socket.destroy();
    await once(server!, 'close');
    server = undefined;
    expect(await check(`rtsp://127.0.0.1:${port}/`)).toMatchObject({ reason: 'refused', retryable: true });
    expect(await check('rtsp://no-such-host.invalid/')).toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining('no-such-host.invalid:554 cannot be resolved'),
    });
  });

  it('believes silence of a camera that has shown no picture either', async () => {
    const port = await listen(() => {});
    const url = `rtsp://127.0.0.1:${port}/cam`;
    const check = new HostCheck({ url, timeoutMs: 50, believesSilence: true });
    expect(await check.check(never)).toMatchObject({
      reason: 'unreachable',
      message: `The camera at 127.0.0.1:${port} takes connections but does not answer`,
    });
  });

  it('believes silence only of a camera that has answered before', async () => {
    let isSilent = true;
    const port = await listen((socket) => {
      if (!isSilent) socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n');
    });
    const camera = new HostCheck({ url: `rtsp://127.0.0.1:${port}/`, timeoutMs: 50 });
    expect(await camera.check(never)).toBeNull();
    isSilent = false;
    expect(
      await new HostCheck({ url: `rtsp://127.0.0.1:${port}/`, timeoutMs: 5000 }).check(never),
    ).toBeNull();
    const known = new HostCheck({ url: `rtsp://127.0.0.1:${port}/`, timeoutMs: 1000 });
    expect(await known.check(never)).toBeNull();
    isSilent = true;
    expect(await known.check(never)).toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining('does not answer'),
    });
  });

  it('lets ffmpeg try after three silences in a row, and counts anew', async () => {
    let isSilent = false;
    const port = await listen((socket) => {
      if (!isSilent) socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n');
    });
    const camera = new HostCheck({ url: `rtsp://127.0.0.1:${port}/`, timeoutMs: 200 });
    const ask = async () => (await camera.check(never))?.reason ?? 'go on';
    expect(await ask()).toBe('go on');
    isSilent = true;
    const asked = [await ask(), await ask(), await ask(), await ask(), await ask()];
    expect(asked).toEqual(['unreachable', 'unreachable', 'unreachable', 'go on', 'unreachable']);
    isSilent = false;
    expect(await ask()).toBe('go on');
    isSilent = true;
    expect([await ask(), await ask(), await ask(), await ask()].at(-1)).toBe('go on');
  });

  it.each(['http', 'auto'] as const)(
    'lets RTSP through an HTTP tunnel pass where the port speaks HTTP only (%s)',
    async (transport) => {
      let requests = 0;
      const web = createHttpServer((_request, response) => {
        requests += 1;
        response.writeHead(400).end();
      });
      web.listen(0, '127.0.0.1');
      await once(web, 'listening');
      const url = `rtsp://127.0.0.1:${(web.address() as AddressInfo).port}/cam`;
      try {
        expect(await new HostCheck({ url, transport, timeoutMs: 5000 }).check(never)).toBeNull();
        // In a tunnel nothing is asked.
        expect(requests).toBe(transport === 'auto' ? 1 : 0);
        // The same with the check of a probe, which believes silence.
        const believing = new HostCheck({ url, transport, timeoutMs: 5000, believesSilence: true });
        expect(await believing.check(never)).toBeNull();
        const plain = new HostCheck({ url, transport: 'tcp', timeoutMs: 5000 });
        expect(await plain.check(never)).toMatchObject({ reason: 'invalid_data' });
      } finally {
        web.close();
        await once(web, 'close');
      }
    },
  );

  it('waits longer for cameras that may take longer to start', () => {
    expect([1000, 3000, 8000, 10_000, 30_000, 120_000].map(hostCheckLimitMs)).toEqual([
      1000,
      3000,
      3000,
      10_000 / 3,
      10_000,
      40_000,
    ]);
  });

  it('lets ffmpeg find out why a camera closes without a word', async () => {
    const port = await listen((socket) => socket.end());
    expect(await check(`rtsp://127.0.0.1:${port}/`)).toBeNull();
  });

  it('only connects where it cannot ask, and not even that to files', async () => {
    const texts: string[] = [];
    const port = await listen((_socket, text) => texts.push(text));
    expect(await check(`http://127.0.0.1:${port}/video.mjpg`)).toBeNull();
    expect(await check(`rtsps://127.0.0.1:${port}/`)).toBeNull();
    expect(await check('file:///nowhere.mp4')).toBeNull();
    expect(await check('device:/dev/video9')).toBeNull();
    expect(texts).toEqual([]);
  });

  it('ends at once when it is stopped', async () => {
    const port = await listen(() => {});
    const abort = new AbortController();
    const done = new HostCheck({ url: `rtsp://127.0.0.1:${port}/`, timeoutMs: 600_000 }).check(abort.signal);
    await once(server!, 'connection');
    abort.abort();
    expect(await done).toBeNull();
  });
});
