import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type CameraStreamStats, RtspServer } from '../../src/demo/rtsp/server.js';
import { npmFfmpeg } from './ingest-clips.js';
import { RtspTestClient } from './rtsp-client.js';
import { makeNoisyClip } from './rtsp-footage.js';

/**
 * Simulated cameras of which `/cam` is to be made faulty, `/other` stays well, and `/secret` asks for user `u` and
 * password `p`; and bare clients that hide nothing.
 */
export class FaultyCameras implements AsyncDisposable {
  readonly #clients: RtspTestClient[] = [];

  private constructor(
    readonly server: RtspServer,
    private readonly folder: string,
    /** Another clip: 160×96, five pictures a second. */
    readonly slowClip: string,
  ) {}

  static async open(): Promise<FaultyCameras> {
    const folder = await mkdtemp(join(tmpdir(), 'maskwatch-faulty-'));
    const file = await makeNoisyClip(folder, {
      name: 'noisy.mp4',
      size: '320x180',
      seconds: 1,
      keyframes: 25,
    });
    const slow = { name: 'slow.mp4', size: '160x96', rateFps: 5, seconds: 2, keyframes: 10 };
    const server = await RtspServer.open({
      ffmpegPath: (await npmFfmpeg()).path,
      streams: [
        { path: '/cam', file },
        { path: '/other', file },
        { path: '/secret', file, auth: { username: 'u', password: 'p', scheme: 'basic' } },
      ],
    });
    return new FaultyCameras(server, folder, await makeNoisyClip(folder, slow));
  }

  async connect(path = '/cam'): Promise<RtspTestClient> {
    const client = await RtspTestClient.open(this.server.url(path));
    this.#clients.push(client);
    return client;
  }

  /** A client that has received so many packets. */
  async playing(packets = 1): Promise<{ client: RtspTestClient; session: string }> {
    const client = await this.connect();
    const { session } = await client.play();
    await client.receive(packets);
    return { client, session };
  }

  stats(path = '/cam'): CameraStreamStats {
    return this.server.stats().streams.find((stream) => stream.path === path)!;
  }

  /** Ten pictures long: what `/cam` has not sent or said by then, it does not. It films on, whatever its fault. */
  async meanwhile(): Promise<void> {
    const until = this.stats().pictures + 10;
    await vi.waitUntil(() => this.stats().pictures >= until, 20_000);
  }

  /** All well again, and nobody connected. */
  async heal(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    for (const { path } of this.server.stats().streams) this.server.clearFault(path);
    await vi.waitUntil(() => this.server.stats().connections === 0, 10_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
