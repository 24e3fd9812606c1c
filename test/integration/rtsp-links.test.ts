import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RtspServer, type RtspSessionStats, type TlsIdentity } from '../../src/demo/rtsp/server.js';
import { FFMPEGS, makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { decodePictures, failureOf, withCredentials } from '../support/rtsp-playback.js';
import { hasOpenssl, makeCertificate } from '../support/self-signed.js';

/* Ways to a camera other than RTSP as such: through HTTP, and inside TLS. */

const AUTH = { username: 'us er@gate', password: `p@ss:w/rd %&#"ü` };
const CLIP_PICTURES = 50;
let folder: string;
let clip: string;
let server: RtspServer;
let identity: TlsIdentity | undefined;
const sockets: Socket[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-links-'));
  const size = { width: 320, height: 180, bFrames: 0 };
  clip = await makeClip(folder, { ...size, name: 'clip.mp4', seconds: 2, keyframes: 25 });
  if (hasOpenssl) identity = await makeCertificate(folder);
  server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/cam', file: clip },
      { path: '/digest', file: clip, auth: { ...AUTH, scheme: 'digest' } },
    ],
    ...(identity ? { tls: identity } : {}),
  });
}, 60_000);
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await vi.waitFor(() => expect(server.stats()).toMatchObject({ connections: 0, sessions: [] }), 10_000);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Plays, and tells what the server saw of it meanwhile. */
async function play(ffmpegPath: string, input: readonly string[], count: number) {
  let session: RtspSessionStats | undefined;
  const looking = setInterval(() => {
    session = server.stats().sessions.find(({ state }) => state === 'playing') ?? session;
  }, 10);
  try {
    return { pictures: await decodePictures(ffmpegPath, input, count), session };
  } finally {
    clearInterval(looking);
  }
}

describe.each(FFMPEGS)('$name', ({ path, isPresent }) => {
  let ffmpegPath: string;
  beforeAll(async () => {
    ffmpegPath = path ?? (await npmFfmpeg()).path;
  });

  const ways = [
    { name: 'an HTTP tunnel', transport: 'http', scheme: 'rtsp', link: 'http', can: true },
    { name: 'TLS (needs openssl)', transport: 'tcp', scheme: 'rtsps', link: 'rtsps', can: hasOpenssl },
    {
      name: 'an HTTP tunnel in TLS (needs openssl)',
      transport: 'https',
      scheme: 'rtsps',
      link: 'https',
      can: hasOpenssl,
    },
  ] as const;
  // The npm ffmpeg knows no tunnel in TLS.
  const known = ways.filter(({ link }) => path !== undefined || link !== 'https');

  describe.each(known)('through $name', ({ transport, scheme, link, can }) => {
    it.skipIf(!isPresent || !can)('plays every picture, in order, past the end of the clip', async () => {
      const original = await decodePictures(ffmpegPath, ['-i', clip], CLIP_PICTURES);
      const count = CLIP_PICTURES + 20;
      const url = server.url('/cam', scheme);
      const { pictures, session } = await play(ffmpegPath, ['-rtsp_transport', transport, '-i', url], count);
      const start = original.findIndex(({ checksum }) => checksum === pictures[0]?.checksum);
      expect(start % 25).toBe(0);
      expect(pictures.map(({ checksum }) => checksum)).toEqual(
        Array.from({ length: count }, (_, i) => original[(start + i) % CLIP_PICTURES]?.checksum),
      );
      expect(session).toMatchObject({ path: '/cam', transport: 'tcp', link });
    });

    it.skipIf(!isPresent || !can)('logs in with awkward characters, and only so', async () => {
      const url = server.url('/digest', scheme);
      const right = withCredentials(url, AUTH.username, AUTH.password);
      const { session } = await play(ffmpegPath, ['-rtsp_transport', transport, '-i', right], 30);
      expect(session).toMatchObject({ path: '/digest', link });
      const wrong = withCredentials(url, AUTH.username, 'no');
      expect(await failureOf(ffmpegPath, ['-rtsp_transport', transport, '-i', wrong])).toMatch(/401/);
    });

    it.skipIf(!isPresent || !can)('is told of faults', async () => {
      const url = server.url('/cam', scheme);
      const failure = () => failureOf(ffmpegPath, ['-rtsp_transport', transport, '-i', url]);
      server.setFault('/cam', { kind: 'not_found' });
      expect(await failure()).toMatch(/404/);
      server.setFault('/cam', { kind: 'no_transport', transports: [link === 'rtsps' ? 'tcp' : 'http'] });
      expect(await failure()).toMatch(/461/);
      server.setFault('/cam', { kind: 'refuse' });
      expect(await failure()).not.toBe('');
      server.clearFault('/cam');
    });
  });

  it.skipIf(!isPresent)('gets through HTTP what it does not get over TCP or UDP', async () => {
    server.setFault('/cam', { kind: 'no_transport', transports: ['tcp', 'udp'] });
    const input = (transport: string) => ['-rtsp_transport', transport, '-i', server.url('/cam')];
    for (const transport of ['tcp', 'udp'])
      expect(await failureOf(ffmpegPath, input(transport))).toMatch(/461/);
    expect(await decodePictures(ffmpegPath, input('http'), 5)).toHaveLength(5);
    server.clearFault('/cam');
  });
});

/** A connection by hand. */
async function open(port = server.port): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** What comes until it matches. */
async function read(socket: Socket, until: RegExp): Promise<string> {
  let text = '';
  while (!until.test(text)) {
    const [chunk] = await once(socket, 'data');
    text += String(chunk);
  }
  return text;
}

const head = (method: 'GET' | 'POST', cookie: string) =>
  `${method} /cam HTTP/1.0\r\nx-sessioncookie: ${cookie}\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n`;
const options = (cseq: number) =>
  Buffer.from(`OPTIONS ${server.url('/cam')} RTSP/1.0\r\nCSeq: ${cseq}\r\n\r\n`).toString('base64');

describe('the tunnel', () => {
  it('takes requests in pieces of any size, and from a second POST', async () => {
    const get = await open();
    get.write('GE');
    get.write(head('GET', 'a').slice(2));
    expect(await read(get, /\r\n\r\n/)).toMatch(/^HTTP\/1\.0 200 OK[\s\S]*x-rtsp-tunnelled/);
    const post = await open();
    post.write(head('POST', 'a') + options(1).slice(0, 5));
    for (const piece of options(1)
      .slice(5)
      .match(/.{1,7}/g) ?? [])
      post.write(`${piece}\r\n`);
    expect(await read(get, /CSeq: 1\r\n[\s\S]*\r\n\r\n/)).toMatch(/^RTSP\/1\.0 200 OK/);
    post.write(options(2) + options(3));
    await read(get, /CSeq: 3\r\n/);
    post.end();
    await once(post, 'close');
    const second = await open();
    second.write(head('POST', 'a') + options(4));
    await read(get, /CSeq: 4\r\n/);
    get.destroy();
    // Without its GET a tunnel has no way back.
    await once(second, 'close');
  });

  it.each([
    ['no cookie', 'GET /cam HTTP/1.1\r\n\r\n', 400],
    ['a POST without its GET', 'POST /cam HTTP/1.1\r\nx-sessioncookie: nobody\r\n\r\n', 404],
  ])('turns away %s', async (_name, text, status) => {
    const socket = await open();
    socket.write(text);
    expect(await read(socket, /\r\n\r\n/)).toMatch(new RegExp(`^HTTP/1.0 ${status} `));
    await once(socket, 'close');
  });

  it('ends at what is no base64, and where a cookie is taken twice the second is turned away', async () => {
    const get = await open();
    get.write(head('GET', 'b'));
    await read(get, /\r\n\r\n/);
    const twin = await open();
    twin.write(head('GET', 'b'));
    expect(await read(twin, /\r\n\r\n/)).toMatch(/^HTTP\/1\.0 400 /);
    const post = await open();
    post.write(`${head('POST', 'b')}OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    await Promise.all([once(get, 'close'), once(post, 'close')]);
  });
});

describe.skipIf(!hasOpenssl)('TLS (needs openssl)', () => {
  it('shows the certificate that was handed in, and serves no bare datagrams', async () => {
    const port = Number(new URL(server.url('/cam', 'rtsps')).port);
    expect(port).not.toBe(server.port);
    const socket = connectTls({ port, host: '127.0.0.1', ca: identity!.cert });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    const url = server.url('/cam', 'rtsps');
    const udp = 'Transport: RTP/AVP;unicast;client_port=50000-50001';
    socket.write(`SETUP ${url}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\n${udp}\r\n\r\n`);
    expect(await read(socket, /\r\n\r\n/)).toMatch(/^RTSP\/1\.0 461 /);
  });

  it('lives through who speaks no TLS, and who never ends the handshake', async () => {
    const port = Number(new URL(server.url('/cam', 'rtsps')).port);
    const plain = await open(port);
    plain.write('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n');
    plain.resume();
    await once(plain, 'close');
    const silent = await open(port);
    await vi.waitFor(() => expect(server.stats().connections).toBe(1));
    silent.destroy();
  });

  it('is cut by an unplugged cable, and comes back on the same port', async () => {
    const url = server.url('/cam', 'rtsps');
    await server.unplug();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await server.plugIn();
    expect(server.url('/cam', 'rtsps')).toBe(url);
    const { path } = await npmFfmpeg();
    expect(await decodePictures(path, ['-rtsp_transport', 'tcp', '-i', url], 3)).toHaveLength(3);
  });

  it('says when the certificate is none, and when there is none', async () => {
    const { path: ffmpegPath } = await npmFfmpeg();
    const streams = [{ path: '/cam', file: clip }];
    const bad = RtspServer.open({ ffmpegPath, streams, tls: { cert: 'no', key: 'no' } });
    await expect(bad).rejects.toMatchObject({ code: 'RTSP_LISTEN_FAILED' });
    await using bare = await RtspServer.open({ ffmpegPath, streams });
    expect(() => bare.url('/cam', 'rtsps')).toThrow(/no certificate/);
  });
});
