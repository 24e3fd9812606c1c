import { RtspServer } from '../../src/demo/rtsp/server.js';
import type { Frame } from '../../src/domain/frame.js';
import type { FfmpegBinary } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { FileSource } from '../../src/ingest/file-source.js';
import { systemClock } from '../../src/lib/clock.js';
import { GstCamera } from './gst-camera.js';
import { isAlive, npmFfmpeg } from './ingest-clips.js';

export const MATRIX_AUTH = { username: 'us er@gate', password: `p@ss:w/rd %&#"ü` };
export const MATRIX_CLIP = { width: 320, height: 180, rateFps: 25 };
const ANALYSIS = { rateFps: 5, widthPx: 160, heightPx: 90 };

export interface MatrixCell {
  readonly server: 'ours' | 'GStreamer';
  readonly codec: 'h264' | 'h265';
  readonly transport: 'tcp' | 'udp';
  readonly auth: 'none' | 'digest';
  readonly binary: FfmpegBinary;
}

export interface MatrixResult {
  readonly firstFrameMs: number;
  /** Analysed frames per second between the first and the last. */
  readonly rateFps: number;
  readonly codec: string;
  readonly size: string;
  /** Largest over the frames of the smallest mean difference to any picture of the clip, of 255. */
  readonly worstDifference: number;
  /** Pictures of the clip that the frames are, in order of arrival. */
  readonly pictureIndices: readonly number[];
  /** Processes of ours that are left after the camera was stopped. */
  readonly leftProcesses: number;
}

/** The pictures of a clip as they are analysed, without a network in between. */
export async function referencePictures(file: string): Promise<Uint8Array[]> {
  const pictures: Uint8Array[] = [];
  const source = new FileSource({
    cameraId: 'reference',
    path: file,
    analysis: { ...ANALYSIS, rateFps: MATRIX_CLIP.rateFps },
    binary: await npmFfmpeg(),
    clock: systemClock,
  });
  const sink = {
    frame: (frame: Frame) => {
      pictures.push(pixelsOf(frame).slice());
      frame.release();
    },
    dropped: () => {},
  };
  await source.run(sink, new AbortController().signal);
  return pictures;
}

/** Plays one cell until `frameCount` frames have come, and stops it. Rejects where the stream ends before. */
export async function playCell(
  cell: MatrixCell,
  options: {
    readonly file: string;
    readonly reference: readonly Uint8Array[];
    readonly frameCount: number;
    readonly timeoutMs: number;
  },
): Promise<MatrixResult> {
  const auth = cell.auth === 'digest' ? MATRIX_AUTH : undefined;
  const camera = await openCamera(cell, options.file, auth);
  try {
    const pids: number[] = [];
    const abort = new AbortController();
    const times: number[] = [];
    const matches: { index: number; difference: number }[] = [];
    let info = { codec: '', width: 0, height: 0 };
    const source = new FfmpegSource({
      cameraId: 'cell',
      url: camera.url,
      transport: cell.transport,
      ...(auth ?? {}),
      analysis: ANALYSIS,
      binary: cell.binary,
      clock: systemClock,
      onSpawn: (pid) => pids.push(pid),
    });
    const startedMs = performance.now();
    const timer = setTimeout(() => abort.abort(), options.timeoutMs);
    const end = await source.run(
      {
        frame: (frame) => {
          times.push(performance.now());
          matches.push(nearest(pixelsOf(frame), options.reference));
          frame.release();
          if (times.length >= options.frameCount) abort.abort();
        },
        dropped: () => {},
        streamInfo: (told) => {
          info = told;
        },
      },
      abort.signal,
    );
    clearTimeout(timer);
    if (times.length < options.frameCount)
      throw new Error(`${times.length} of ${options.frameCount} frames came: ${end.reason}, ${end.message}`);
    return {
      firstFrameMs: times[0]! - startedMs,
      rateFps: (1000 * (times.length - 1)) / (times.at(-1)! - times[0]!),
      codec: info.codec,
      size: `${info.width}×${info.height}`,
      worstDifference: Math.max(...matches.map(({ difference }) => difference)),
      pictureIndices: matches.map(({ index }) => index),
      leftProcesses: pids.filter(isAlive).length,
    };
  } finally {
    await camera.close();
  }
}

async function openCamera(
  cell: MatrixCell,
  file: string,
  auth: typeof MATRIX_AUTH | undefined,
): Promise<{ url: string; close(): Promise<void> }> {
  if (cell.server === 'GStreamer') return GstCamera.open({ file, codec: cell.codec, auth });
  const server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/cam', file, codec: cell.codec, ...(auth ? { auth: { ...auth, scheme: 'digest' } } : {}) },
    ],
  });
  return { url: server.url('/cam'), close: () => server.close() };
}

function pixelsOf(frame: Frame): Uint8Array {
  const { buffer, byteOffset, width, height } = frame.pixels;
  return new Uint8Array(buffer, byteOffset, width * height * 3);
}

function nearest(
  pixels: Uint8Array,
  reference: readonly Uint8Array[],
): { index: number; difference: number } {
  let best = { index: -1, difference: Number.POSITIVE_INFINITY };
  reference.forEach((picture, index) => {
    let sum = 0;
    for (let i = 0; i < picture.length; i += 7) sum += Math.abs(picture[i]! - pixels[i]!);
    const difference = (7 * sum) / picture.length;
    if (difference < best.difference) best = { index, difference };
  });
  return best;
}
