import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Addresses behind which something is wrong, and the reasons that a user may be told. */
export interface BrokenPeer {
  readonly name: string;
  readonly url: string;
  readonly reasons: readonly string[];
}

const SDP = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n';

/** Servers on loopback that misbehave in every way that was thought of. */
export class BrokenPeers {
  readonly peers: BrokenPeer[] = [];
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  static async open(): Promise<BrokenPeers> {
    const all = new BrokenPeers();
    const rtsp = (answer: (method: string) => string) => (socket: Socket) =>
      socket.on('data', (bytes) => {
        const text = bytes.toString();
        const cseq = /CSeq: (\d+)/.exec(text)?.[1] ?? '0';
        socket.write(answer(text.split(' ')[0] ?? '').replace('CSEQ', cseq));
      });
    const reply = (status: string, rest = '') => `RTSP/1.0 ${status}\r\nCSeq: CSEQ\r\n${rest}\r\n`;
    const withSdp = (sdp: string) => (method: string) =>
      method === 'DESCRIBE'
        ? `${reply('200 OK', `Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n`)}${sdp}`
        : reply('200 OK', 'Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n');
    const raw: [string, (socket: Socket) => unknown, string[]][] = [
      ['takes connections and never answers', (socket) => socket.resume(), ['connect_timeout']],
      ['closes at once', (socket) => socket.end(), ['unreachable', 'invalid_data', 'process_exited']],
      [
        'resets at once',
        (socket) => socket.resetAndDestroy(),
        ['unreachable', 'invalid_data', 'process_exited', 'refused'],
      ],
      ['speaks SSH', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'), ['invalid_data']],
      ['400 to everything', rtsp(() => reply('400 Bad Request')), ['invalid_data', 'process_exited']],
      ['401 without a challenge', rtsp(() => reply('401 Unauthorized')), ['unauthorized']],
      ['403', rtsp(() => reply('403 Forbidden')), ['unauthorized']],
      ['404', rtsp(() => reply('404 Not Found')), ['not_found']],
      [
        '503',
        rtsp(() => reply('503 Service Unavailable')),
        ['unreachable', 'process_exited', 'invalid_data'],
      ],
      [
        'a description that is empty',
        rtsp(withSdp('')),
        ['invalid_data', 'process_exited', 'unreachable', 'connect_timeout'],
      ],
      [
        'a description without a stream',
        rtsp(withSdp(SDP)),
        ['invalid_data', 'process_exited', 'unreachable', 'connect_timeout'],
      ],
      [
        'a description that is garbage',
        rtsp(withSdp('\u0001'.repeat(500))),
        ['invalid_data', 'process_exited', 'unreachable', 'connect_timeout'],
      ],
      [
        'a description of sound only',
        rtsp(withSdp(`${SDP}m=audio 0 RTP/AVP 0\r\na=control:t\r\n`)),
        ['invalid_data', 'process_exited', 'unreachable', 'connect_timeout'],
      ],
      [
        '461 to every transport',
        rtsp((method) =>
          method === 'SETUP'
            ? reply('461 Unsupported Transport')
            : withSdp(`${SDP}m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n`)(method),
        ),
        ['configuration'],
      ],
      [
        'a header without an end',
        (socket) => socket.on('data', () => socket.write(`RTSP/1.0 200 OK\r\nX: ${'y'.repeat(200_000)}`)),
        ['invalid_data', 'process_exited', 'connect_timeout', 'unreachable'],
      ],
    ];
    for (const [name, take, reasons] of raw) {
      const port = await all.#listen(createServer(), take);
      all.#add(`RTSP: ${name}`, `rtsp://127.0.0.1:${port}/cam`, reasons);
    }
    const http: [string, string, Parameters<typeof createHttpServer>[1], string[]][] = [
      ['404', '/a.mjpg', (_q, answer) => answer.writeHead(404).end(), ['not_found']],
      ['401', '/a.mjpg', (_q, answer) => answer.writeHead(401).end(), ['unauthorized']],
      [
        '500',
        '/a.mjpg',
        (_q, answer) => answer.writeHead(500).end(),
        ['unreachable', 'process_exited', 'invalid_data'],
      ],
      [
        'a page of HTML',
        '/a.mjpg',
        (_q, answer) => answer.setHeader('Content-Type', 'text/html').end('<p>Camera</p>'),
        ['invalid_data', 'process_exited'],
      ],
      [
        'redirects in a circle',
        '/a.mjpg',
        (_q, answer) => answer.writeHead(302, { Location: '/a.mjpg' }).end(),
        ['invalid_data', 'process_exited', 'unreachable', 'connect_timeout'],
      ],
      [
        'an empty answer',
        '/a.mjpg',
        (_q, answer) => answer.end(),
        ['invalid_data', 'process_exited', 'unreachable'],
      ],
      [
        'a playlist without streams',
        '/a.m3u8',
        (_q, answer) => answer.end('#EXTM3U\n'),
        ['invalid_data', 'process_exited', 'connect_timeout', 'unreachable'],
      ],
      [
        'a playlist whose parts are missing',
        '/a.m3u8',
        (question, answer) =>
          question.url === '/a.m3u8'
            ? answer.end('#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n')
            : answer.writeHead(404).end(),
        ['not_found', 'invalid_data', 'process_exited', 'connect_timeout', 'unreachable'],
      ],
      [
        'a film that ends at once',
        '/a.mp4',
        (_q, answer) => answer.end(Buffer.alloc(100)),
        ['invalid_data', 'process_exited'],
      ],
    ];
    for (const [name, path, answer, reasons] of http) {
      const port = await all.#listen(createHttpServer(answer));
      all.#add(`HTTP: ${name}`, `http://127.0.0.1:${port}${path}`, reasons);
      if (name === '404')
        all.#add('RTSP asked of a web server', `rtsp://127.0.0.1:${port}/cam`, [
          'invalid_data',
          'unreachable',
          'process_exited',
        ]);
    }
    const closed = createServer();
    const closedPort = await all.#listen(closed);
    closed.close();
    all.#add('RTSP: nothing listens', `rtsp://127.0.0.1:${closedPort}/cam`, ['refused']);
    all.#add('HTTP: nothing listens', `http://127.0.0.1:${closedPort}/a.mjpg`, ['refused']);
    all.#add('a name that is none', 'rtsp://no-such-camera.invalid/cam', ['unreachable']);
    const plain = await all.#listen(createServer(), (socket) =>
      socket.on('data', () => socket.write(reply('200 OK'))),
    );
    all.#add('TLS asked of a port without', `rtsps://127.0.0.1:${plain}/cam`, [
      'invalid_data',
      'process_exited',
      'unreachable',
      'connect_timeout',
    ]);
    all.#add('a device that is not there', 'device:/dev/video99', [
      'not_found',
      'invalid_data',
      'process_exited',
    ]);
    all.#add('a device that is none', 'device:/etc/passwd', [
      'invalid_data',
      'process_exited',
      'unreachable',
    ]);
    return all;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map(async (server) => {
        if (!server.listening) return;
        server.close();
        for (const socket of this.#sockets) socket.destroy();
        await once(server, 'close');
      }),
    );
  }

  #add(name: string, url: string, reasons: readonly string[]): void {
    this.peers.push({ name, url, reasons });
  }

  async #listen(server: Server, take?: (socket: Socket) => unknown): Promise<number> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
      take?.(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }
}
