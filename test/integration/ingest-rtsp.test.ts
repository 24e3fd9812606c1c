import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import { livingChildPids } from '../../src/ingest/child-processes.js';
import { type FfmpegBinary, findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { accountOf, LoginRegister } from '../../src/ingest/login-register.js';
import { systemClock } from '../../src/lib/clock.js';
import { FreezableProxy } from '../support/frozen-proxy.js';
import { colourAt, FFMPEGS, isAlive, makeClip, npmFfmpeg } from '../support/ingest-clips.js';
import { WatchedCamera } from '../support/watched-camera.js';

const PASSWORD = `p@ss/w:%?#"x' ü`;
const USER = 'us er';
/** Whether ffmpeg may find anything to decode with but the CPU. */
const HAS_HARDWARE = ['/dev/dri', '/dev/nvidia0'].some((path) => existsSync(path));

let folder: string;
let clip: string;

async function openServer(port = 0): Promise<RtspServer> {
  return RtspServer.open({
    port,
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/cam', file: clip },
      { path: '/digest', file: clip, auth: { username: USER, password: PASSWORD, scheme: 'digest' } },
      { path: '/basic', file: clip, auth: { username: USER, password: PASSWORD, scheme: 'basic' } },
    ],
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-rtsp-'));
  clip = await makeClip(folder, {
    name: 'clip.mp4',
    width: 320,
    height: 180,
    seconds: 4,
    keyframes: 25,
    bFrames: 0,
  });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  expect(livingChildPids()).toEqual([]);
});

describe.each(FFMPEGS)('RTSP through the $name', ({ path: ffmpegPath, isPresent }) => {
  let binary: FfmpegBinary;
  let server: RtspServer;

  beforeAll(async () => {
    if (!isPresent) return;
    binary = await findFfmpeg({ path: ffmpegPath });
    server = await openServer();
  });
  afterAll(async () => server?.close());

  /** Starts a camera, hands it to the test, and makes sure that nothing of it is left. */
  async function withCamera(
    options: Omit<ConstructorParameters<typeof WatchedCamera>[0], 'binary'>,
    test: (camera: WatchedCamera) => Promise<void>,
  ): Promise<void> {
    const camera = new WatchedCamera({ binary, ...options }).start();
    try {
      await test(camera);
    } finally {
      await camera.stop();
    }
    expect(camera.supervisor.status()).toMatchObject({ state: 'disabled', reason: 'stopped' });
    for (const pid of camera.pids) expect(isAlive(pid)).toBe(false);
    expect(camera.frameIds).toEqual(camera.frameIds.map((_, index) => camera.frameIds[0]! + index));
  }

  describe.skipIf(!isPresent)('', () => {
    it.each(['tcp', 'udp'] as const)('plays over %s, each picture once', async (transport) => {
      const greys: number[] = [];
      await withCamera(
        {
          url: server.url('/cam'),
          transport,
          onFrame: (frame) => {
            expect(frame.pixels).toMatchObject({ contentWidth: 160, contentHeight: 90 });
            expect([frame.sourceWidth, frame.sourceHeight]).toEqual([320, 180]);
            expect(colourAt(frame, 40, 22)[0]).toBeGreaterThan(240);
            greys.push(colourAt(frame, 120, 67)[0]);
          },
        },
        async (camera) => {
          await camera.frames(12);
          expect(camera.story()).toEqual(['connecting: started', 'live: first_frame']);
          expect(camera.supervisor.status()).toMatchObject({
            stream: { codec: 'h264', width: 320, height: 180, decoding: 'none', transport },
            timing: { jumps: 0 },
          });
          expect(camera.supervisor.status().stream?.timestamps).toBe('stream');
          expect(camera.supervisor.status().timing!.jitterMs).toBeGreaterThan(0);
        },
      );
      for (let index = 1; index < greys.length; index += 1)
        expect(Math.abs(greys[index]! - greys[index - 1]!)).toBeGreaterThan(4);
    });

    it.each(['http', 'auto'] as const)(
      'plays through an HTTP tunnel where the port speaks HTTP only (%s)',
      async (transport) => {
        const door = createServer((client) => {
          client.on('error', () => {});
          client.once('data', (first) => {
            if (!/^(GET|POST) /.test(first.toString('latin1')))
              return client.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
            const behind = connect(server.port, '127.0.0.1').on('error', () => client.destroy());
            behind.write(first);
            client.pipe(behind).pipe(client);
            client.on('close', () => behind.destroy());
          });
        }).listen(0, '127.0.0.1');
        await once(door, 'listening');
        const { port } = door.address() as AddressInfo;
        await withCamera({ url: `rtsp://127.0.0.1:${port}/cam`, transport }, async (camera) => {
          await camera.frames(2);
          expect(camera.supervisor.status()).toMatchObject({ state: 'live', stream: { transport: 'http' } });
        });
        door.close();
        await once(door, 'close');
      },
    );

    it('tries a wrong password by two of six channels of one recorder, no more', async () => {
      const limits = { minMs: 100, maxMs: 60_000 };
      const logins = new LoginRegister({ clock: systemClock, limits, deniedMaxMs: 60_000 });
      const login = { url: server.url('/digest'), username: USER, password: 'wrong' };
      const options = { binary, logins, account: accountOf(login), ...login };
      const channels = Array.from({ length: 6 }, () => new WatchedCamera(options).start());
      for (const channel of channels) await channel.reaches('backing_off', { reason: 'unauthorized' });
      for (const channel of channels) await channel.stop();
      expect(channels.flatMap(({ pids }) => pids)).toHaveLength(2);
      const told = channels.flatMap(({ ends }) => ends.map(({ message }) => message));
      expect(told.filter((message) => message.includes('not tried again yet'))).toHaveLength(4);
    });

    it.each(['digest', 'basic'])('logs in by %s with a password of any characters', async (scheme) => {
      await withCamera(
        { url: server.url(`/${scheme}`), username: USER, password: PASSWORD },
        async (camera) => {
          await camera.frames(2);
          expectNoSecret(camera);
        },
      );
    });

    it('says that the password is wrong, without saying the password', async () => {
      await withCamera(
        { url: server.url('/digest'), username: USER, password: `${PASSWORD}!` },
        async (camera) => {
          await camera.reaches('backing_off');
          expect(camera.ends[0]).toMatchObject({ reason: 'unauthorized', retryable: false });
          expect(camera.frameIds).toEqual([]);
          // ffmpeg does print the address with the password; the line is there, the password is not.
          expect(camera.everythingSaid()).toContain('rtsp://***@127.0.0.1');
          expectNoSecret(camera);
        },
      );
    });

    it('says that there is no such stream, and why nobody answers', async () => {
      const base = server.url('/cam').replace(/cam$/, '');
      await withCamera({ url: `${base}missing` }, async (camera) => {
        await camera.reaches('backing_off', { reason: 'not_found' });
      });
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      const { port } = closed.address() as AddressInfo;
      closed.close();
      await once(closed, 'close');
      await withCamera({ url: `rtsp://127.0.0.1:${port}/cam` }, async (camera) => {
        await camera.reaches('backing_off', { reason: 'refused' });
        await camera.reaches('connecting', { reason: 'refused' });
      });
    });

    it('finds the camera by its host name', async () => {
      await withCamera({ url: server.url('/cam').replace('127.0.0.1', 'localhost') }, (camera) =>
        camera.frames(1),
      );
      await withCamera({ url: 'rtsp://camera.invalid/cam' }, (camera) =>
        camera.reaches('backing_off', { reason: 'unreachable' }),
      );
    });

    it('gives up on a host that accepts and never answers', async () => {
      const sockets = new Set<{ destroy(): void }>();
      const hole = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
      await once(hole, 'listening');
      const { port } = hole.address() as AddressInfo;
      await withCamera(
        { url: `rtsp://127.0.0.1:${port}/cam`, timeoutMs: 60_000, timeouts: { connectMs: 1000 } },
        async (camera) => {
          await camera.reaches('backing_off', { reason: 'connect_timeout' });
          await camera.until(() => camera.pids.length === 2, 'the second attempt');
          expect(isAlive(camera.pids[0]!)).toBe(false);
        },
      );
      for (const socket of sockets) socket.destroy();
      hole.close();
    });

    it.each(['vaapi', 'cuda', 'auto'] as const)(
      'plays with decoding %s: by hardware where there is some, else on the CPU, and says so',
      async (decoding) => {
        await withCamera({ url: server.url('/cam'), decoding }, async (camera) => {
          await camera.frames(3);
          const { stream } = camera.supervisor.status();
          if (HAS_HARDWARE && stream?.decoding === decoding) expect(stream.fallback).toBeUndefined();
          else {
            expect(stream).toMatchObject({ decoding: 'none' });
            expect(stream?.fallback).toMatch(`decoding on the CPU instead of by ${decoding}: `);
            const told = camera.logged.filter((line) =>
              line.includes(`decoding on the CPU instead of by ${decoding}: `),
            );
            expect(told).toHaveLength(1);
          }
          // With `auto` ffmpeg itself falls back: there is nothing to start again for.
          if (decoding === 'auto') expect(camera.pids).toHaveLength(1);
        });
      },
    );

    it.each([90, 180, 270] as const)('turns the picture by %i degrees', async (rotationDegrees) => {
      const seen: [number, number, number][] = [];
      const sizes: string[] = [];
      await withCamera(
        {
          url: server.url('/cam'),
          rotationDegrees,
          onFrame: (frame) => {
            const { contentWidth, contentHeight } = frame.pixels;
            seen.push(colourAt(frame, Math.round(contentWidth / 4), Math.round(contentHeight / 4)));
            sizes.push(`${frame.sourceWidth}×${frame.sourceHeight} ${contentWidth}×${contentHeight}`);
          },
        },
        async (camera) => camera.frames(2),
      );
      // Red, green and blue stand top left, top right and bottom left; clockwise turns bring blue to the top left.
      const [red, green, blue] = seen[0]!;
      if (rotationDegrees === 90) expect(blue).toBeGreaterThan(200);
      else if (rotationDegrees === 270) expect(green).toBeGreaterThan(200);
      else expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeLessThan(20);
      expect(sizes[0]).toBe(rotationDegrees === 180 ? '320×180 160×90' : '180×320 51×90');
    });

    it('decodes keyframes only where asked', async () => {
      const greys: number[] = [];
      await withCamera(
        {
          url: server.url('/cam'),
          keyframesOnly: true,
          timeouts: { stallMs: 8000 },
          onFrame: (frame) => greys.push(Math.round(colourAt(frame, 120, 67)[0] / 2)),
        },
        async (camera) => camera.frames(4),
      );
      // A keyframe every 25 pictures, in a clip of 100; every fifth picture would come without the option.
      const steps = greys.slice(1).map((grey, i) => (grey - greys[i]! + 100) % 25);
      for (const step of steps) expect(Math.min(step, 25 - step)).toBeLessThanOrEqual(2);
    });

    it.each(['tcp', 'udp'] as const)('survives the server going away (%s)', async (transport) => {
      let own = await openServer();
      const { port } = own;
      try {
        await withCamera(
          // UDP: neither ffmpeg notices at once; the watchdog has to.
          { url: own.url('/cam'), transport },
          async (camera) => {
            await camera.frames(3);
            const gone = camera.statuses.length;
            await own.close();
            await camera.reaches('backing_off', { from: gone });
            own = await openServer(port);
            await camera.reaches('live', { from: gone });
            await camera.frames(3);
            expect(camera.supervisor.status().restarts).toBeGreaterThanOrEqual(1);
          },
        );
      } finally {
        await own.close();
      }
    });

    it.each(['tcp', 'udp'] as const)(
      'notices a camera that hangs (%s) and comes back to it',
      async (transport) => {
        const own = await openServer();
        try {
          await withCamera({ url: own.url('/cam'), transport }, async (camera) => {
            await camera.frames(3);
            const frozen = camera.statuses.length;
            own.freeze('/cam');
            await camera.reaches('stalled', { reason: 'no_frames', from: frozen });
            await camera.reaches('backing_off', { reason: 'no_frames', from: frozen });
            expect(isAlive(camera.pids[0]!)).toBe(false);
            own.resume('/cam');
            await camera.reaches('live', { from: frozen });
            await camera.frames(2);
          });
        } finally {
          await own.close();
        }
      },
    );

    it('kills an ffmpeg that hangs on a peer from which nothing comes any more', async () => {
      const proxy = await FreezableProxy.open(server.port);
      try {
        await withCamera({ url: `rtsp://127.0.0.1:${proxy.port}/cam` }, async (camera) => {
          await camera.frames(3);
          const frozen = camera.statuses.length;
          proxy.freeze();
          await camera.reaches('stalled', { from: frozen });
          await camera.reaches('backing_off', { from: frozen });
          expect(isAlive(camera.pids[0]!)).toBe(false);
          proxy.thaw();
          await camera.reaches('live', { from: frozen });
        });
      } finally {
        await proxy.close();
      }
    });

    it('does not answer a pause of the stream with a flood of the same picture', async () => {
      const own = await openServer();
      try {
        const seen: { grey: number }[] = [];
        await withCamera(
          {
            url: own.url('/cam'),
            timeouts: { stallMs: 20_000 },
            onFrame: (frame) => seen.push({ grey: colourAt(frame, 120, 67)[0] }),
          },
          async (camera) => {
            await camera.frames(3);
            own.freeze('/cam');
            // Nothing happens in a pause; how long it is tells a camera that goes on, at five frames a second.
            await withCamera({ url: server.url('/cam') }, async (other) => {
              await other.frames(1);
              await other.frames(12);
            });
            const before = camera.frameIds.length;
            own.resume('/cam');
            await camera.frames(6);
            expect(before).toBeGreaterThan(0);
            expect(camera.story()).toEqual(['connecting: started', 'live: first_frame']);
          },
        );
        // By chance the picture after the pause may look like the one before it, but no more than one.
        const repeats = seen.filter(
          (frame, index) => Math.abs(frame.grey - (seen[index - 1]?.grey ?? -99)) < 1,
        );
        expect(repeats.length).toBeLessThanOrEqual(1);
      } finally {
        await own.close();
      }
    });

    it('starts anew when ffmpeg is killed, and when it is stopped dead', async () => {
      await withCamera({ url: server.url('/cam') }, async (camera) => {
        await camera.frames(2);
        let from = camera.statuses.length;
        process.kill(camera.pids.at(-1)!, 'SIGKILL');
        await camera.reaches('backing_off', { reason: 'process_exited', from });
        await camera.reaches('live', { from });
        await camera.frames(2);

        from = camera.statuses.length;
        process.kill(camera.pids.at(-1)!, 'SIGSTOP');
        await camera.reaches('stalled', { from });
        await camera.reaches('live', { from });
        expect(camera.pids).toHaveLength(3);
        expect(camera.pids.filter(isAlive)).toHaveLength(1);
        expect(camera.ends.map(({ reason }) => reason)).toEqual(['process_exited', 'no_frames']);
      });
    });
  });

  function expectNoSecret(camera: WatchedCamera): void {
    const said = camera.everythingSaid();
    for (const form of [PASSWORD, encodeURIComponent(PASSWORD), 'p%40ss', 'p@ss'])
      expect(said).not.toContain(form);
  }
});
