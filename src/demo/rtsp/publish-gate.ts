import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { formatResponse, RtspParser, type RtspRequest, type RtspResponse } from './message.js';
import { type MediaDescription, readMediaDescription } from './session-description.js';

/** Where one packetiser's output goes. Called synchronously, in order. */
export interface Publication {
  described(media: MediaDescription): void;
  rtp(packet: Buffer): void;
  rtcp(packet: Buffer): void;
}

/**
 * The private back door through which our own ffmpeg processes hand in RTP: ANNOUNCE, SETUP and RECORD over one
 * TCP connection on loopback, each under a path that cannot be guessed.
 *
 * Why not RTP over UDP: a busy machine loses loopback datagrams when a key picture's burst outgrows the socket
 * buffer, and such a "camera" smears for reasons that nobody can see; TCP holds ffmpeg back instead. And an
 * ffmpeg whose owner was killed ends on its own at the broken connection, where UDP would let it run for ever.
 */
export class PublishGate {
  readonly #publications = new Map<string, Publication>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async open(): Promise<PublishGate> {
    const gate = new PublishGate();
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  /** A one-time address to publish to. `withdraw` it when the publisher has ended. */
  invite(publication: Publication): { url: string; withdraw: () => void } {
    const token = randomBytes(12).toString('hex');
    this.#publications.set(token, publication);
    const { port } = this.#server.address() as AddressInfo;
    return {
      url: `rtsp://127.0.0.1:${port}/${token}`,
      withdraw: () => this.#publications.delete(token),
    };
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#publications.clear();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    const parser = new RtspParser();
    let publication: Publication | null = null;
    let isRecording = false;
    const handle = (request: RtspRequest): RtspResponse => {
      const token = /^rtsp:\/\/[^/]+\/([0-9a-f]+)/.exec(request.uri)?.[1] ?? '';
      publication ??= this.#publications.get(token) ?? null;
      if (!publication) return { status: 404 };
      switch (request.method) {
        case 'OPTIONS':
          return { status: 200, headers: { Public: 'OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN' } };
        case 'ANNOUNCE': {
          const media = readMediaDescription(request.body.toString('utf8'));
          if (!media) return { status: 400 };
          publication.described(media);
          return { status: 200 };
        }
        case 'SETUP':
          return {
            status: 200,
            headers: { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record', Session: token },
          };
        case 'RECORD':
          isRecording = true;
          return { status: 200, headers: { Session: token } };
        case 'TEARDOWN':
          return { status: 200 };
        default:
          return { status: 501 };
      }
    };
    socket.on('data', (chunk) => {
      for (const input of parser.push(chunk)) {
        if (input.kind === 'request') {
          socket.write(formatResponse(handle(input.request), input.request.headers.get('cseq')));
        } else if (input.kind === 'malformed') {
          socket.destroy();
        } else if (isRecording && input.channel === 0) {
          publication?.rtp(input.payload);
        } else if (isRecording && input.channel === 1) {
          publication?.rtcp(input.payload);
        }
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
