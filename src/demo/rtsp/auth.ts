import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RtspRequest } from './message.js';

export interface StreamAuth {
  readonly username: string;
  /** Any characters; hashed and compared as UTF-8. */
  readonly password: string;
  readonly scheme: 'digest' | 'basic';
  /**
   * Digest only. `true` asks for `qop="auth"` (RFC 2617); `false`, the default, is the older form of RFC 2069
   * that most cameras speak.
   */
  readonly qop?: boolean;
}

export type AuthResult = 'ok' | 'missing' | 'wrong' | 'stale';

const REALM = 'Maskwatch simulated camera';
/** Long, because a client whose nonce ages has to be asked again in the middle of a stream. */
const NONCE_LIFE_MS = 3_600_000;

/**
 * Checks `Authorization` and writes `WWW-Authenticate`, MD5 digest or basic. Nonces carry their own time and a
 * keyed hash of it, so that nothing has to be remembered. Replays within the nonce's life are not detected:
 * this guards simulated cameras on loopback.
 */
export class Authenticator {
  readonly #secret = randomBytes(16);
  readonly #nowMs: () => number;

  constructor(options: { nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Value of `WWW-Authenticate` for a stream. */
  challenge(auth: StreamAuth, options: { isStale?: boolean } = {}): string {
    if (auth.scheme === 'basic') return `Basic realm="${REALM}"`;
    const fields = [`realm="${REALM}"`, `nonce="${this.#makeNonce(Math.floor(this.#nowMs()))}"`];
    if (auth.qop) fields.push('qop="auth"');
    if (options.isStale) fields.push('stale=TRUE');
    return `Digest ${fields.join(', ')}`;
  }

  verify(auth: StreamAuth, request: Pick<RtspRequest, 'method' | 'uri' | 'headers'>): AuthResult {
    const header = request.headers.get('authorization');
    if (header === undefined) return 'missing';
    const space = header.indexOf(' ');
    const scheme = header.slice(0, space).toLowerCase();
    const value = header.slice(space + 1).trim();
    if (space < 0 || scheme !== auth.scheme) return 'wrong';
    if (scheme === 'basic') {
      const expected = Buffer.from(`${auth.username}:${auth.password}`, 'utf8');
      return isSame(Buffer.from(value, 'base64'), expected) ? 'ok' : 'wrong';
    }
    return this.#verifyDigest(auth, request, parseParameters(value));
  }

  /** RFC 2069, 2.1.2, and, where the client sends `qop`, RFC 2617, 3.2.2.1. */
  #verifyDigest(
    auth: StreamAuth,
    request: Pick<RtspRequest, 'method' | 'uri'>,
    fields: ReadonlyMap<string, string>,
  ): AuthResult {
    const nonce = fields.get('nonce') ?? '';
    const uri = fields.get('uri') ?? '';
    const qop = fields.get('qop');
    const algorithm = fields.get('algorithm') ?? 'MD5';
    if (fields.get('username') !== auth.username || fields.get('realm') !== REALM) return 'wrong';
    if (algorithm.toUpperCase() !== 'MD5' || !isSameResource(uri, request.uri)) return 'wrong';
    const issuedMs = this.#readNonce(nonce);
    if (issuedMs === null) return 'wrong';
    const ha1 = md5(`${auth.username}:${REALM}:${auth.password}`);
    const ha2 = md5(`${request.method}:${uri}`);
    const expected =
      qop === undefined
        ? md5(`${ha1}:${nonce}:${ha2}`)
        : md5(`${ha1}:${nonce}:${fields.get('nc') ?? ''}:${fields.get('cnonce') ?? ''}:${qop}:${ha2}`);
    if ((qop !== undefined && qop !== 'auth') || (auth.qop && qop === undefined)) return 'wrong';
    const given = Buffer.from((fields.get('response') ?? '').toLowerCase());
    if (!isSame(given, Buffer.from(expected))) return 'wrong';
    return this.#nowMs() - issuedMs > NONCE_LIFE_MS ? 'stale' : 'ok';
  }

  #makeNonce(issuedMs: number): string {
    const time = issuedMs.toString(16).padStart(12, '0');
    return time + createHmac('sha256', this.#secret).update(time).digest('hex').slice(0, 20);
  }

  /** When the nonce was given out, or `null` where it is not one of ours. */
  #readNonce(nonce: string): number | null {
    if (!/^[0-9a-f]{32}$/.test(nonce)) return null;
    const issuedMs = Number.parseInt(nonce.slice(0, 12), 16);
    return this.#makeNonce(issuedMs) === nonce ? issuedMs : null;
  }
}

/** `a="quoted \" text", b=token` as in RFC 2617, names in lower case. */
export function parseParameters(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const match of text.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))/g)) {
    const [, name = '', quoted, token] = match;
    fields.set(name.toLowerCase(), quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1'));
  }
  return fields;
}

/** Clients put either the absolute URI or its path into `uri`. */
function isSameResource(digestUri: string, requestUri: string): boolean {
  if (digestUri === requestUri) return true;
  return digestUri.startsWith('/') && requestUri.replace(/^rtsps?:\/\/[^/]*/i, '') === digestUri;
}

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function md5(text: string): string {
  return createHash('md5').update(text, 'utf8').digest('hex');
}
