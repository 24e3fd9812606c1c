import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FfmpegBinary, findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { FileSource } from '../../src/ingest/file-source.js';
import type { StreamInfo } from '../../src/ingest/frame-source.js';
import { systemClock } from '../../src/lib/clock.js';
import { colourAt, FFMPEGS, makeClip } from '../support/ingest-clips.js';
import { MjpegServer } from '../support/mjpeg-server.js';
import { WatchedCamera } from '../support/watched-camera.js';

const analysis = { rateFps: 5, widthPx: 160, heightPx: 90 };

describe.each(FFMPEGS)('Streams through the $name', ({ path: ffmpegPath, isPresent }) => {
  let folder: string;
  let binary: FfmpegBinary;

  beforeAll(async () => {
    if (!isPresent) return;
    binary = await findFfmpeg({ path: ffmpegPath });
    folder = await mkdtemp(join(tmpdir(), 'maskwatch-streams-'));
  });
  afterAll(async () => {
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  describe.skipIf(!isPresent)('', () => {
    it('reads MJPEG over HTTP at the rate that was asked for, whatever the camera sends', async () => {
      const clip = await makeClip(folder, { name: 'mjpeg.mp4', width: 320, height: 180, seconds: 1 });
      const server = await MjpegServer.open({
        clip,
        ffmpegPath: binary.path,
        rateFps: 12,
        credentials: 'üser:p@ss:w/ö%',
      });
      try {
        const times: number[] = [];
        const camera = new WatchedCamera({
          binary,
          url: server.url,
          username: 'üser',
          password: 'p@ss:w/ö%',
          onFrame: (frame) => {
            times.push(frame.monotonicMs);
            expect([frame.sourceWidth, frame.sourceHeight]).toEqual([320, 180]);
            expect(colourAt(frame, 120, 22)[1]).toBeGreaterThan(230);
          },
        }).start();
        await camera.frames(16);
        await camera.stop();
        // 5 a second: not 12 (every picture), and not 2.4 (each picture taken for 1/25 s). Starts in a burst.
        const settled = times.slice(5);
        const rate = ((settled.length - 1) * 1000) / (settled.at(-1)! - settled[0]!);
        expect(rate).toBeGreaterThan(3.5);
        expect(rate).toBeLessThan(7);
        expect(camera.supervisor.status().stream).toMatchObject({ codec: 'mjpeg', width: 320, height: 180 });

        const url = `${server.url}?user=guard&password=open-sesame`;
        const stranger = new WatchedCamera({ binary, url, username: 'x', password: 'y' }).start();
        await stranger.reaches('backing_off', { reason: 'unauthorized' });
        await stranger.stop();
        // ffmpeg names the whole address in what it says of the refusal.
        expect(stranger.everythingSaid()).not.toContain('open-sesame');
      } finally {
        await server.close();
      }
    });

    it('follows a camera that changes its picture size', async () => {
      const first = await makeClip(folder, {
        name: 'first.ts',
        width: 320,
        height: 180,
        seconds: 1,
        format: 'mpegts',
      });
      const second = await makeClip(folder, {
        name: 'second.ts',
        width: 240,
        height: 240,
        seconds: 1,
        format: 'mpegts',
      });
      const path = join(folder, 'both.ts');
      await writeFile(path, Buffer.concat([await readFile(first), await readFile(second)]));
      const sizes: string[] = [];
      const infos: StreamInfo[] = [];
      await new FfmpegSource({
        cameraId: 'changing',
        url: `file:${path}`,
        analysis,
        binary,
        clock: systemClock,
      }).run(
        {
          frame: (frame) => {
            const size = `${frame.sourceWidth}×${frame.sourceHeight} ${frame.pixels.contentWidth}×${frame.pixels.contentHeight}`;
            if (sizes.at(-1) !== size) sizes.push(size);
            frame.release();
          },
          dropped: () => {},
          streamInfo: (info) => infos.push(info),
        },
        new AbortController().signal,
      );
      expect(sizes).toEqual(['320×180 160×90', '240×240 90×90']);
      expect(infos.map(({ width, height }) => [width, height])).toEqual([
        [320, 180],
        [240, 240],
      ]);
    });

    it('plays a looped file for ever, past its end, at its own pace', async () => {
      const path = await makeClip(folder, { name: 'loop.mp4', width: 320, height: 180, seconds: 1 });
      const greys: number[] = [];
      const times: number[] = [];
      const camera = new WatchedCamera({
        binary,
        url: `file:${path}`,
        loop: true,
        onFrame: (frame) => {
          greys.push(Math.round(colourAt(frame, 120, 67)[0]));
          times.push(frame.monotonicMs);
        },
      }).start();
      await camera.frames(14);
      await camera.stop();
      expect(camera.story()).toEqual(['connecting: started', 'live: first_frame', 'disabled: stopped']);
      const restarts = greys.filter((grey, index) => index > 0 && grey < greys[index - 1]!);
      expect(restarts.length).toBeGreaterThanOrEqual(2);
      // About 2.6 s for 14 frames; a file that is not paced takes a few milliseconds.
      expect(times.at(-1)! - times[0]!).toBeGreaterThan(1500);
    });

    it('begins a looped file anew that ffmpeg cannot wind back', async () => {
      const shape = { width: 320, height: 180, seconds: 1, format: 'h264', bFrames: 0 };
      const path = await makeClip(folder, { name: 'raw.h264', ...shape });
      const camera = new WatchedCamera({ binary, url: `file:${path}`, loop: true }).start();
      await camera.reaches('backing_off', { reason: 'process_exited' });
      await camera.frames(3);
      await camera.stop();
      expect(camera.ends[0]?.message).toContain('cannot wind back');
    });

    it('ends a camera whose file is over', async () => {
      const path = await makeClip(folder, { name: 'once.mp4', width: 320, height: 180, seconds: 1 });
      const camera = new WatchedCamera({ binary, url: `file:${path}` }).start();
      await camera.reaches('disabled', { reason: 'end_of_file' });
      await camera.stop();
      expect(camera.pids).toHaveLength(1);
      expect(camera.frameIds).toHaveLength(5);
    });

    it('tells a file that is no video', async () => {
      const path = join(folder, 'text.mp4');
      await writeFile(path, 'not a video\n'.repeat(100));
      const camera = new WatchedCamera({ binary, url: `file:${path}` }).start();
      await camera.reaches('backing_off', { reason: 'invalid_data' });
      await camera.stop();
    });

    it('loses no frame of a recorded file to a slow consumer, and gives them the time of the file', async () => {
      const path = await makeClip(folder, { name: 'slow.mp4', width: 320, height: 180, seconds: 2 });
      const times: number[] = [];
      const drops: string[] = [];
      let held = 0;
      let mostHeld = 0;
      await new FileSource({ cameraId: 'slow', path, analysis, binary, clock: systemClock }).run(
        {
          frame: (frame) => {
            times.push(frame.monotonicMs);
            held += 1;
            mostHeld = Math.max(mostHeld, held);
            setTimeout(() => {
              held -= 1;
              frame.release();
            }, 20);
          },
          dropped: (reason) => drops.push(reason),
        },
        new AbortController().signal,
      );
      expect(times).toEqual([0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800]);
      expect(drops).toEqual([]);
      expect(mostHeld).toBeLessThanOrEqual(4);
    });

    it('stops a recorded file whose frames nobody gives back', async () => {
      const path = await makeClip(folder, { name: 'stuck.mp4', width: 320, height: 180, seconds: 4 });
      const abort = new AbortController();
      let count = 0;
      const end = await new FileSource({
        cameraId: 'stuck',
        path,
        analysis: { ...analysis, rateFps: 25 },
        binary,
        clock: systemClock,
      }).run(
        {
          frame: () => {
            count += 1;
            if (count === 4) setImmediate(() => abort.abort());
          },
          dropped: () => {},
        },
        abort.signal,
      );
      expect(end.reason).toBe('stopped');
      expect(count).toBe(4);
    });

    it('keeps a live stream flowing when frames are not given back, and counts what is lost', async () => {
      const path = await makeClip(folder, { name: 'held.mp4', width: 320, height: 180, seconds: 2 });
      const drops: string[] = [];
      let count = 0;
      const end = await new FfmpegSource({
        cameraId: 'held',
        url: `file:${path}`,
        analysis,
        binary,
        clock: systemClock,
      }).run(
        {
          frame: () => {
            count += 1;
          },
          dropped: (reason) => drops.push(reason),
        },
        new AbortController().signal,
      );
      expect(end.reason).toBe('end_of_file');
      expect(count).toBe(4);
      expect(drops).toEqual(Array(6).fill('no_buffer'));
    });
  });
});
