import { type BenchChild, startChild } from '../../src/bench/child-entry.js';

interface Said {
  readonly cameras: readonly { readonly id: string; readonly name: string; readonly url: string }[];
  readonly credentials: { readonly username: string; readonly password: string };
}

/** A process of simulated cameras, which can be stopped whole, as when the cameras' network or machine hangs. */
export class CameraServer {
  constructor(private readonly child: BenchChild<Said>) {}

  /** As in a configuration. */
  get cameras() {
    const { cameras, credentials } = this.child.said;
    return cameras.map((camera) => ({ ...camera, ...credentials }));
  }

  freeze(): void {
    process.kill(this.child.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.child.pid, 'SIGCONT');
  }

  async close(): Promise<void> {
    this.thaw();
    await this.child.close();
  }
}

/** One server that always answers, and two to be frozen in turn: one stays frozen until what hung on it is counted. */
export class CameraServers {
  readonly #freezable: { readonly server: CameraServer; isFree: Promise<unknown> }[];

  private constructor(
    readonly flowing: CameraServer,
    freezable: readonly CameraServer[],
  ) {
    this.#freezable = freezable.map((server) => ({ server, isFree: Promise.resolve() }));
    // Nobody else could wake them.
    process.once('exit', () => {
      for (const { server } of this.#freezable) server.thaw();
    });
  }

  static async open(count: number): Promise<CameraServers> {
    const script = new URL('../../src/bench/cameras-process.ts', import.meta.url);
    const signal = new AbortController().signal;
    const start = async () =>
      new CameraServer(
        await startChild<Said>(script, [JSON.stringify({ count })], { signal, stop: 'stdin' }),
      );
    return new CameraServers(await start(), [await start(), await start()]);
  }

  /** The one that waits longest, woken; give it back afterwards. */
  async takeFreezable(): Promise<CameraServer> {
    const [next] = this.#freezable;
    if (!next) throw new Error('every server is taken');
    await next.isFree;
    this.#freezable.shift();
    next.server.thaw();
    return next.server;
  }

  /** May be frozen: it is woken only after `isCounted`. */
  giveBack(server: CameraServer, isCounted: Promise<unknown>): void {
    this.#freezable.push({ server, isFree: isCounted });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.flowing, ...this.#freezable.map(({ server }) => server)].map((one) => one.close()),
    );
    this.#freezable.length = 0;
  }
}
