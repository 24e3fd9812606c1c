import { existsSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AppError } from '../lib/errors.js';
import { isLoopbackHost } from '../lib/loopback.js';
import { assertBindAllowed, OriginPolicy } from './origin.js';
import { PROBLEM_TYPE, problemOf, SECURITY_HEADERS } from './problem.js';
import type { ReadinessReport } from './readiness.js';

export interface HttpServerOptions {
  /** Address to listen on; anything but loopback needs `auth`. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Folder of the built page. */
  readonly webRoot: string;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  readonly readiness: () => ReadinessReport;
  /** Verifies bearer tokens; throws `AppError` AUTH_*. Absent: no authentication. */
  readonly auth?: { verify(token: unknown): Promise<unknown> };
  readonly corsOrigins?: readonly string[];
  /** A request failed for a reason of ours. */
  readonly onError?: (error: unknown) => void;
}

/** Page, health and metrics. Socket.IO is attached to `server` by the gateway. */
export class HttpServer {
  readonly #fastify: FastifyInstance;
  readonly #origins: OriginPolicy;
  readonly #host: string;
  /** WebSockets: Node forgets them when they are upgraded, and then waits for them for ever in `close`. */
  readonly #upgraded = new Set<Duplex>();
  #isClosed = false;

  /**
   * Listens. Throws `AppError` CONFIG_UNSAFE_BIND (exit code 2), SERVER_PORT_IN_USE, SERVER_PORT_FORBIDDEN or
   * SERVER_LISTEN_FAILED.
   */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    assertBindAllowed(options.host, options.auth !== undefined);
    const server = new HttpServer(options);
    try {
      await server.#fastify.listen({ host: options.host, port: options.port });
    } catch (error) {
      await server.close();
      throw listenFailure(error, options);
    }
    return server;
  }

  private constructor(options: HttpServerOptions) {
    this.#host = options.host;
    this.#origins = new OriginPolicy({
      corsOrigins: options.corsOrigins ?? [],
      hasAuth: options.auth !== undefined,
    });
    this.#fastify = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 64 * 1024 });
    this.#fastify.server.on('upgrade', (_request, socket) => {
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
    });
    this.#guard(options);
    this.#addHealth(options);
    this.#addMetrics(options);
    this.#addPage(resolve(options.webRoot));
  }

  /** For people on this machine; with the port that was taken. */
  get url(): string {
    const { port } = this.#fastify.server.address() as AddressInfo;
    const isAny = this.#host === '0.0.0.0' || this.#host === '::';
    const host = isAny ? '127.0.0.1' : this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `http://${host}:${port}`;
  }

  get server(): Server {
    return this.#fastify.server;
  }

  /** Whether origin and host of a request are ours; for the Socket.IO gateway. */
  isRequestAllowed(request: IncomingMessage): boolean {
    return this.#origins.allows(request);
  }

  /** Stops listening and ends all connections. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const socket of this.#upgraded) socket.destroy();
    await this.#fastify.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #guard(options: HttpServerOptions): void {
    this.#fastify.addHook('onRequest', async (request, reply) => {
      reply.headers(SECURITY_HEADERS);
      if (!this.#origins.allows(request.raw))
        throw new AppError('REQUEST_ORIGIN_REFUSED', `this service is not "${request.headers.host ?? ''}"`, {
          hint: 'Add the address of the page to server.corsOrigins.',
        });
    });
    this.#fastify.setErrorHandler((error, request, reply) => {
      const problem = problemOf(error);
      // Without the query: somebody may have put a token there.
      const instance = request.url.split('?')[0];
      if (problem.status >= 500) options.onError?.(error);
      return reply
        .code(problem.status)
        .type(PROBLEM_TYPE)
        .send({ ...problem, instance });
    });
    this.#fastify.setNotFoundHandler((request) => {
      throw new AppError('NOT_FOUND', `there is nothing at ${request.url.split('?')[0]}`);
    });
  }

  #addHealth(options: HttpServerOptions): void {
    const noStore = { 'cache-control': 'no-store' };
    this.#fastify.get('/healthz', (_request, reply) => reply.headers(noStore).send({ status: 'alive' }));
    this.#fastify.get('/readyz', (_request, reply) => {
      const report = options.readiness();
      return reply
        .headers(noStore)
        .code(report.status === 'not_ready' ? 503 : 200)
        .send(report);
    });
  }

  #addMetrics(options: HttpServerOptions): void {
    const { auth, metrics } = options;
    const authorize = async (request: FastifyRequest, reply: FastifyReply) => {
      if (!auth || isFromThisMachine(request)) return;
      const [scheme, token] = (request.headers.authorization ?? '').split(' ');
      try {
        await auth.verify(scheme?.toLowerCase() === 'bearer' ? token : undefined);
      } catch (error) {
        reply.header('www-authenticate', 'Bearer realm="maskwatch"');
        throw error;
      }
    };
    this.#fastify.get('/metrics', { onRequest: authorize }, async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).header('cache-control', 'no-store').send(text);
    });
  }

  #addPage(webRoot: string): void {
    if (existsSync(join(webRoot, 'index.html'))) {
      this.#fastify.register(fastifyStatic, {
        root: webRoot,
        index: 'index.html',
        dotfiles: 'deny',
        cacheControl: false,
        setHeaders: (reply, path) => {
          // Names of built assets carry a hash of what is in them; the page itself is asked for anew.
          const isHashed = path.startsWith(join(webRoot, 'assets'));
          reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
        },
      });
      return;
    }
    this.#fastify.get('/', (_request, reply) =>
      reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send('The page has not been built. Run "npm run build" and start again.\n'),
    );
  }
}

/** A proxy on this machine speaks for others: then the address says nothing. */
function isFromThisMachine(request: FastifyRequest): boolean {
  const { headers, socket } = request.raw;
  const isForwarded =
    headers.forwarded !== undefined ||
    headers['x-forwarded-for'] !== undefined ||
    headers['x-real-ip'] !== undefined ||
    headers.via !== undefined;
  return !isForwarded && isLoopbackHost(socket.remoteAddress ?? '');
}

function listenFailure(error: unknown, { host, port }: HttpServerOptions): AppError {
  const code = (error as NodeJS.ErrnoException).code;
  const where = `${host}:${port}`;
  if (code === 'EADDRINUSE')
    return new AppError('SERVER_PORT_IN_USE', `${where} is in use by another program`, {
      cause: error,
      path: 'server.port',
      hint: 'Is Maskwatch running already? Choose another port with --port, or --port 0 for a free one (npm start -- --port 0).',
    });
  if (code === 'EACCES')
    return new AppError('SERVER_PORT_FORBIDDEN', `not allowed to listen on ${where}`, {
      cause: error,
      path: 'server.port',
      hint: 'Ports below 1024 need privileges; choose a higher one with --port.',
    });
  return new AppError('SERVER_LISTEN_FAILED', `cannot listen on ${where}: ${code ?? String(error)}`, {
    cause: error,
    path: 'server.host',
    hint: 'Is server.host an address of this machine?',
  });
}
