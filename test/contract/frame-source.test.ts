import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/domain/frame.js';
import { type FfmpegBinary, findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { FileSource } from '../../src/ingest/file-source.js';
import type { FrameSink, FrameSource, StreamInfo } from '../../src/ingest/frame-source.js';
import { systemClock } from '../../src/lib/clock.js';
import { colourAt, FFMPEGS, GREY_STEP, isAlive, makeClip } from '../support/ingest-clips.js';

/* The promises of the FrameSource port, kept by each adapter with each ffmpeg. */

const RATE_FPS = 5;
const SOURCE_RATE_FPS = 25;
const analysis = { rateFps: RATE_FPS, widthPx: 160, heightPx: 90 };

type Make = (options: {
  path: string;
  binary: FfmpegBinary;
  cameraId: string;
  onSpawn?: (pid: number) => void;
}) => FrameSource;

const ADAPTERS: { name: string; make: Make }[] = [
  {
    name: 'FfmpegSource',
    make: ({ path, ...rest }) =>
      new FfmpegSource({ ...rest, url: pathToFileURL(path).href, analysis, clock: systemClock }),
  },
  {
    name: 'FileSource as consumed',
    make: ({ path, ...rest }) => new FileSource({ ...rest, path, analysis, clock: systemClock }),
  },
  {
    name: 'FileSource in real time',
    make: ({ path, ...rest }) =>
      new FileSource({ ...rest, path, analysis, clock: systemClock, pace: 'realtime' }),
  },
];

/** A sink that looks at each frame, then releases it. */
function lookingSink(look: (frame: Frame) => void) {
  const infos: StreamInfo[] = [];
  const drops: string[] = [];
  const sink: FrameSink = {
    frame: (frame) => {
      look(frame);
      frame.release();
    },
    dropped: (reason) => drops.push(reason),
    streamInfo: (info) => infos.push(info),
  };
  return { sink, infos, drops };
}

describe.each(FFMPEGS)('$name', ({ path: ffmpegPath, isPresent }) => {
  describe.skipIf(!isPresent).each(ADAPTERS)('$name', ({ name, make }) => {
    let folder: string;
    let wide: string;
    let square: string;
    let binary: FfmpegBinary;

    beforeAll(async () => {
      binary = await findFfmpeg({ path: ffmpegPath });
      // A name that an address has to be careful with.
      folder = await mkdtemp(join(tmpdir(), "maskwatch clip's 50% #1 "));
      wide = await makeClip(folder, { name: 'wide.mp4', width: 320, height: 180, seconds: 2 });
      square = await makeClip(folder, { name: 'square.mp4', width: 240, height: 240, seconds: 1 });
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    // Tests run side by side: each has a camera, and so frame ids, of its own.
    let cameras = 0;
    const newCamera = () => `contract-${name.replaceAll(' ', '-')}-${++cameras}`;

    it.concurrent('delivers frames in order, with rising ids and times and the right pixels', async () => {
      const cameraId = newCamera();
      const seen: { id: number; monotonicMs: number; capturedAtMs: number; colours: number[][] }[] = [];
      let infosAtFirstFrame = -1;
      const { sink, infos, drops } = lookingSink((frame) => {
        if (infosAtFirstFrame < 0) infosAtFirstFrame = infos.length;
        expect(frame.cameraId).toBe(cameraId);
        expect([frame.sourceWidth, frame.sourceHeight]).toEqual([320, 180]);
        expect(frame.pixels).toMatchObject({ width: 160, height: 90, contentWidth: 160, contentHeight: 90 });
        seen.push({
          id: frame.frameId,
          monotonicMs: frame.monotonicMs,
          capturedAtMs: frame.capturedAtMs,
          colours: [
            colourAt(frame, 40, 22),
            colourAt(frame, 120, 22),
            colourAt(frame, 40, 67),
            colourAt(frame, 120, 67),
          ],
        });
      });
      const end = await make({ path: wide, binary, cameraId }).run(sink, new AbortController().signal);

      expect(end).toMatchObject({ reason: 'end_of_file' });
      expect(drops).toEqual([]);
      expect(infosAtFirstFrame).toBe(1);
      expect(infos).toHaveLength(1);
      expect(infos[0]).toMatchObject({ codec: 'h264', width: 320, height: 180, rateFps: SOURCE_RATE_FPS });
      expect(seen).toHaveLength(2 * RATE_FPS);
      seen.forEach(({ id, monotonicMs, capturedAtMs, colours }, index) => {
        const before = seen[index - 1];
        if (before) {
          expect(id).toBe(before.id + 1);
          expect(monotonicMs).toBeGreaterThan(before.monotonicMs);
          expect(capturedAtMs).toBeGreaterThan(before.capturedAtMs - 1000);
        }
        const grey = index * (SOURCE_RATE_FPS / RATE_FPS) * GREY_STEP;
        const expected = [
          [254, 0, 0],
          [0, 255, 1],
          [0, 0, 254],
          [grey, grey, grey],
        ];
        expected.forEach((colour, quarter) => {
          colour.forEach((value, channel) => {
            // Two greys of neighbouring source frames differ by 2, of analysed ones by 10.
            expect(
              Math.abs(colours[quarter]![channel]! - value),
              `quarter ${quarter} of frame ${index}`,
            ).toBeLessThan(6);
          });
        });
      });
    });

    it.concurrent('keeps the aspect ratio: picture at the top left, the rest black', async () => {
      const cameraId = newCamera();
      let count = 0;
      const { sink } = lookingSink((frame) => {
        count += 1;
        expect([frame.sourceWidth, frame.sourceHeight]).toEqual([240, 240]);
        expect(frame.pixels).toMatchObject({ width: 160, height: 90, contentWidth: 90, contentHeight: 90 });
        expect(colourAt(frame, 2, 2)[0]).toBeGreaterThan(240);
        expect(colourAt(frame, 86, 4)[1]).toBeGreaterThan(240);
        for (const x of [95, 125, 158]) expect(colourAt(frame, x, 45)).toEqual([0, 0, 0]);
      });
      await make({ path: square, binary, cameraId }).run(sink, new AbortController().signal);
      expect(count).toBe(RATE_FPS);
    });

    it.concurrent('writes into the same few buffers again', async () => {
      const cameraId = newCamera();
      const buffers = new Set<SharedArrayBuffer>();
      const offsets = new Set<number>();
      const { sink } = lookingSink((frame) => {
        buffers.add(frame.pixels.buffer);
        offsets.add(frame.pixels.byteOffset);
      });
      const source = make({ path: wide, binary, cameraId });
      await source.run(sink, new AbortController().signal);
      expect(buffers.size).toBe(1);
      expect(offsets.size).toBeLessThanOrEqual(4);
      expect([...buffers][0]?.byteLength).toBe(4 * 160 * 90 * 3);
    });

    it.concurrent('leaves a held frame alone', async () => {
      const cameraId = newCamera();
      let held: Frame | undefined;
      let first: Uint8Array | undefined;
      const copy = (frame: Frame) =>
        Uint8Array.from(new Uint8Array(frame.pixels.buffer, frame.pixels.byteOffset, 160 * 90 * 3));
      const { sink } = lookingSink((frame) => {
        if (held) return;
        held = frame;
        frame.retain();
        first = copy(frame);
      });
      await make({ path: wide, binary, cameraId }).run(sink, new AbortController().signal);
      expect(held).toBeDefined();
      expect(copy(held!)).toEqual(first);
      held!.release();
      expect(() => held!.release()).toThrow(/after its last release/);
    });

    it.concurrent('ends on abort, with the process gone and nothing delivered any more', async () => {
      const cameraId = newCamera();
      const abort = new AbortController();
      let pid = 0;
      let settled = false;
      let late = 0;
      const { sink } = lookingSink(() => {
        if (settled || abort.signal.aborted) late += 1;
        else abort.abort();
      });
      const end = await make({ path: wide, binary, cameraId, onSpawn: (id) => (pid = id) }).run(
        sink,
        abort.signal,
      );
      settled = true;
      expect(end.reason).toBe('stopped');
      expect(pid).toBeGreaterThan(0);
      expect(isAlive(pid)).toBe(false);
      expect(late).toBe(0);
    });

    it.concurrent('does not start at all when it was aborted before', async () => {
      const cameraId = newCamera();
      let spawned = 0;
      const source = make({ path: wide, binary, cameraId, onSpawn: () => (spawned += 1) });
      const end = await source.run(lookingSink(() => {}).sink, AbortSignal.abort());
      expect(end.reason).toBe('stopped');
      expect(spawned).toBe(0);
    });

    it.concurrent('can run again, and its frame ids go on', async () => {
      const cameraId = newCamera();
      const source = make({ path: square, binary, cameraId });
      const ids: number[] = [];
      const { sink } = lookingSink((frame) => ids.push(frame.frameId));
      await source.run(sink, new AbortController().signal);
      await source.run(sink, new AbortController().signal);
      expect(ids).toHaveLength(2 * RATE_FPS);
      expect(ids).toEqual(ids.map((_id, index) => ids[0]! + index));
    });

    it.concurrent('refuses two runs at once', async () => {
      const cameraId = newCamera();
      const source = make({ path: wide, binary, cameraId });
      const abort = new AbortController();
      const running = source.run(lookingSink(() => {}).sink, abort.signal);
      await expect(source.run(lookingSink(() => {}).sink, abort.signal)).rejects.toMatchObject({
        code: 'INGEST_ALREADY_RUNNING',
      });
      abort.abort();
      await running;
    });

    it.concurrent('tells that a file is missing, as a value', async () => {
      const cameraId = newCamera();
      const source = make({ path: join(folder, 'missing.mp4'), binary, cameraId });
      const end = await source.run(lookingSink(() => {}).sink, new AbortController().signal);
      expect(end).toMatchObject({ reason: 'not_found', retryable: false });
    });

    it.concurrent('tells that ffmpeg cannot be started, as a value', async () => {
      const cameraId = newCamera();
      const source = make({ path: wide, binary: { ...binary, path: '/nowhere/ffmpeg' }, cameraId });
      const end = await source.run(lookingSink(() => {}).sink, new AbortController().signal);
      expect(end).toMatchObject({ reason: 'spawn_failed' });
    });
  });
});
