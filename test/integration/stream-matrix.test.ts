import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { livingChildPids } from '../../src/ingest/child-processes.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { hasGstRtspServer } from '../support/gst-camera.js';
import { FFMPEGS, makeClip } from '../support/ingest-clips.js';
import { type MatrixCell, playCell, referencePictures } from '../support/stream-matrix.js';

/* What `scripts/measure-stream-matrix.ts` prints, as a test: every way in which a stream can come. */

const SECONDS = 12;
const FRAMES = 6;
let folder: string;
const clips = new Map<string, { file: string; reference: Uint8Array[] }>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-matrix-'));
  for (const codec of ['h264', 'h265'] as const) {
    const file = await makeClip(folder, {
      name: `${codec}.mp4`,
      width: 320,
      height: 180,
      seconds: SECONDS,
      bFrames: 0,
      codec,
    });
    clips.set(codec, { file, reference: await referencePictures(file) });
  }
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  expect(livingChildPids()).toEqual([]);
});

const PEERS = [
  { server: 'ours', name: 'our RTSP server', isPresent: true },
  {
    server: 'GStreamer',
    name: "GStreamer's RTSP server (needs gst-rtsp-server)",
    isPresent: hasGstRtspServer(),
  },
] as const;
const WAYS = (['h264', 'h265'] as const).flatMap((codec) =>
  (['tcp', 'udp'] as const).flatMap((transport) =>
    (['none', 'digest'] as const).map((auth) => ({ codec, transport, auth })),
  ),
);

describe.each(PEERS)('$name', ({ server, isPresent: isServerPresent }) => {
  describe.each(FFMPEGS)('$name', ({ path, isPresent }) => {
    it.skipIf(!isServerPresent || !isPresent).each(WAYS)(
      '$codec over $transport, auth $auth: the clip’s own pictures in order, and nothing is left',
      async (way) => {
        const cell: MatrixCell = { server, ...way, binary: await findFfmpeg({ path }) };
        const clip = clips.get(way.codec)!;
        const result = await playCell(cell, { ...clip, frameCount: FRAMES, timeoutMs: 30_000 });
        expect(result).toMatchObject({
          codec: way.codec === 'h265' ? 'hevc' : 'h264',
          size: '320×180',
          leftProcesses: 0,
        });
        expect(result.worstDifference).toBeLessThan(3);
        // A burst of what came since the last keyframe may begin it; each picture comes once.
        const steps = result.pictureIndices.slice(1).map((index, i) => index - result.pictureIndices[i]!);
        expect(steps.every((step) => step > 0)).toBe(true);
      },
      60_000,
    );
  });
});
