import type { Socket } from 'node:net';
import { type ClientLink, type LinkKind, resetWire, type Wire } from './client-link.js';

/**
 * RTSP through HTTP, as QuickTime began it and cameras and ffmpeg (`-rtsp_transport http`) do it: a GET whose endless
 * answer carries what the server says, and a POST whose endless body carries, in base64, what the client says. The
 * header `x-sessioncookie` tells which two belong together.
 */

export interface HttpHead {
  readonly method: 'GET' | 'POST';
  /** Keys in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Where the body begins. */
  readonly sizeBytes: number;
}

const METHODS = ['GET ', 'POST '];
const MAX_HEAD_BYTES = 16 * 1024;

/**
 * The head of an HTTP request at the beginning of a connection; `null` while it cannot be told yet, `not_http` where
 * it is something else: RTSP has a GET_PARAMETER, but no GET.
 */
export function readHttpHead(buffer: Buffer): HttpHead | 'not_http' | null {
  const start = buffer.toString('latin1', 0, 5);
  if (!METHODS.some((method) => start.startsWith(method) || method.startsWith(start))) return 'not_http';
  const end = buffer.subarray(0, MAX_HEAD_BYTES).indexOf('\r\n\r\n');
  if (end < 0) return buffer.length > MAX_HEAD_BYTES ? 'not_http' : null;
  const [first = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
  if (!/^(?:GET|POST) \S+ HTTP\/1\.[01]$/.test(first)) return 'not_http';
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  return { method: first.startsWith('GET') ? 'GET' : 'POST', headers, sizeBytes: end + 4 };
}

/** Decodes base64 that comes in pieces, and of which each message was encoded, and padded, by itself. */
export class Base64Decoder {
  #rest = '';

  /** `null` where it is no base64. */
  push(chunk: Buffer): Buffer | null {
    const text = this.#rest + chunk.toString('latin1').replace(/[\r\n\t ]/g, '');
    const wholeLength = text.length - (text.length % 4);
    this.#rest = text.slice(wholeLength);
    const quads = text.slice(0, wholeLength).match(/.{4}/g) ?? [];
    if (!quads.every((quad) => /^[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==)$/.test(quad)))
      return null;
    return Buffer.concat(quads.map((quad) => Buffer.from(quad, 'base64')));
  }
}

/** The two connections of a tunnel. The client may close its POST and open another. */
class TunnelLink implements ClientLink {
  readonly kind: LinkKind;
  #post: Wire | null = null;
  #listener: (chunk: Buffer) => void = () => undefined;

  constructor(private readonly get: Wire) {
    this.kind = get.isSecure ? 'https' : 'http';
    get.socket.on('close', () => this.#post?.socket.destroy());
    // Nothing is to be said on this one, but its end must be noticed.
    get.socket.resume();
  }

  get output(): Socket {
    return this.get.socket;
  }

  attach(post: Wire, head: Buffer): void {
    this.#post?.socket.destroy();
    this.#post = post;
    const decoder = new Base64Decoder();
    const read = (chunk: Buffer) => {
      const said = decoder.push(chunk);
      if (said === null) this.destroy();
      else if (said.length > 0) this.#listener(said);
    };
    post.socket.on('data', read);
    post.socket.on('end', () => post.socket.destroy());
    read(head);
  }

  listen(listener: (chunk: Buffer) => void): void {
    this.#listener = listener;
  }

  pause(): void {
    this.get.socket.pause();
    this.#post?.socket.pause();
  }

  reset(): void {
    if (this.#post) resetWire(this.#post);
    resetWire(this.get);
  }

  destroy(): void {
    this.get.socket.destroy();
  }
}

const TUNNEL_OPEN = [
  'HTTP/1.0 200 OK',
  'Server: Maskwatch simulated camera',
  'Connection: close',
  'Cache-Control: no-store',
  'Pragma: no-cache',
  'Content-Type: application/x-rtsp-tunnelled',
].join('\r\n');

/** Brings the GET and the POST of each tunnel together. */
export class HttpTunnels {
  readonly #open = new Map<string, TunnelLink>();

  constructor(private readonly onLink: (link: ClientLink) => void) {}

  /** Takes a connection that began with an HTTP request. `rest` is what came behind its head. */
  take(wire: Wire, { method, headers }: HttpHead, rest: Buffer): void {
    const { socket } = wire;
    const cookie = headers.get('x-sessioncookie');
    const known = cookie === undefined ? undefined : this.#open.get(cookie);
    if (cookie === undefined || (method === 'GET' && known)) {
      socket.end('HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n');
    } else if (method === 'GET') {
      const link = new TunnelLink(wire);
      this.#open.set(cookie, link);
      socket.on('close', () => this.#open.delete(cookie));
      socket.write(`${TUNNEL_OPEN}\r\n\r\n`);
      this.onLink(link);
    } else if (!known) {
      socket.end('HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n');
    } else {
      // ffmpeg asks for this where its address holds a password. Nothing else is ever said on this connection.
      if (/100-continue/i.test(headers.get('expect') ?? '')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      known.attach(wire, rest);
    }
  }
}
