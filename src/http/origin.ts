import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AppError } from '../lib/errors.js';
import { isLoopbackHost } from '../lib/loopback.js';

/**
 * Refuses to listen for everybody without asking anybody who they are.
 * Throws `AppError` CONFIG_UNSAFE_BIND (exit code 2).
 */
export function assertBindAllowed(host: string, hasAuth: boolean): void {
  if (hasAuth || isLoopbackHost(host)) return;
  throw new AppError(
    'CONFIG_UNSAFE_BIND',
    `refusing to listen on ${host} without authentication: anybody could watch`,
    {
      path: 'server.host',
      hint: 'Set server.auth.secret, or listen on 127.0.0.1 and put a proxy in front.',
      exitCode: 2,
    },
  );
}

export interface OriginPolicyOptions {
  /** Other origins whose pages may connect, e.g. `https://control.example`. */
  readonly corsOrigins: readonly string[];
  /**
   * Without authentication the name under which we are asked counts: a foreign name that resolves to loopback
   * (DNS rebinding) would otherwise make a foreign page same-origin.
   */
  readonly hasAuth: boolean;
}

/**
 * Browsers let any page open a WebSocket anywhere; only the server can tell pages apart, by `Origin`. Requests
 * without `Origin` (programs, navigation) pass.
 */
export class OriginPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #hasAuth: boolean;

  constructor(options: OriginPolicyOptions) {
    const urls = options.corsOrigins.flatMap((origin) => (URL.canParse(origin) ? [new URL(origin)] : []));
    this.#origins = new Set(urls.map((url) => url.origin));
    this.#hosts = new Set(urls.map((url) => url.host));
    this.#hasAuth = options.hasAuth;
  }

  allows(request: Pick<IncomingMessage, 'headers'>): boolean {
    const { origin, host } = request.headers;
    if (!this.#isHostOurs(host)) return false;
    if (origin === undefined) return true;
    if (this.#origins.has(origin)) return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }

  #isHostOurs(host: string | undefined): boolean {
    if (this.#hasAuth || host === undefined) return true;
    if (this.#hosts.has(host)) return true;
    const name = host.replace(/:\d+$/, '');
    // An address cannot be rebound.
    return isLoopbackHost(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  }
}
