// Every way in which a stream can come: {our RTSP server, GStreamer's} × {H.264, H.265} × {TCP, UDP} × {open, digest}
// × {npm's ffmpeg, the system's}. Prints a table; exit code 1 where a picture was wrong, late or missing, or a process
// was left. What is not installed is left out and named.
// npx tsx scripts/measure-stream-matrix.ts [--frames 15] [--json]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { hasGstRtspServer } from '../test/support/gst-camera.js';
import { FFMPEGS, makeClip } from '../test/support/ingest-clips.js';
import {
  type MatrixCell,
  type MatrixResult,
  playCell,
  referencePictures,
} from '../test/support/stream-matrix.js';

const { values } = parseArgs({
  options: { frames: { type: 'string', default: '15' }, json: { type: 'boolean', default: false } },
});
const frameCount = Number(values.frames);
const say = (line: string) => process.stderr.write(`${line}\n`);
/** Mean difference of a picture that was decoded right, of 255: rounding of colours, no more. */
const MAX_DIFFERENCE = 3;

const servers = (['ours', 'GStreamer'] as const).filter((server) => {
  if (server === 'ours' || hasGstRtspServer()) return true;
  say("left out: GStreamer's RTSP server is not installed (scripts/setup-dev)");
  return false;
});
const ffmpegs = FFMPEGS.filter(({ name, isPresent }) => {
  if (!isPresent) say(`left out: ${name}`);
  return isPresent;
});

interface Row extends Omit<MatrixCell, 'binary'> {
  readonly ffmpeg: string;
  readonly result?: MatrixResult;
  readonly error?: string;
}
const rows: Row[] = [];
const folder = await mkdtemp(join(tmpdir(), 'maskwatch-matrix-'));
try {
  for (const codec of ['h264', 'h265'] as const) {
    const file = await makeClip(folder, {
      ...{ name: `${codec}.mp4`, width: 320, height: 180, bFrames: 0, codec },
      seconds: Math.ceil(frameCount / 5) + 8,
    });
    const reference = await referencePictures(file);
    for (const { path } of ffmpegs)
      for (const server of servers)
        for (const transport of ['tcp', 'udp'] as const)
          for (const auth of ['none', 'digest'] as const) {
            const binary = await findFfmpeg({ path });
            const row = { server, codec, transport, auth, ffmpeg: binary.version };
            say(`${server} ${codec} ${transport} ${auth} ${binary.version}`);
            try {
              const cell = { server, codec, transport, auth, binary };
              const result = await playCell(cell, { file, reference, frameCount, timeoutMs: 60_000 });
              rows.push({ ...row, result });
            } catch (error) {
              rows.push({ ...row, error: error instanceof Error ? error.message : String(error) });
            }
          }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

const isRight = ({ result }: Row) =>
  result !== undefined && result.worstDifference < MAX_DIFFERENCE && result.leftProcesses === 0;
if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  const line = (cells: readonly unknown[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
  line(['server', 'codec', 'transport', 'auth', 'ffmpeg', 'first frame, ms', 'frames/s', 'picture', 'left']);
  line(Array.from({ length: 9 }, () => '---'));
  for (const row of rows) {
    const { server, codec, transport, auth, ffmpeg, result, error } = row;
    line([
      ...[server, codec, transport, auth, ffmpeg],
      ...(result
        ? [
            result.firstFrameMs.toFixed(0),
            result.rateFps.toFixed(2),
            result.worstDifference < MAX_DIFFERENCE ? 'right' : `off by ${result.worstDifference.toFixed(1)}`,
            result.leftProcesses,
          ]
        : ['–', '–', error, '–']),
    ]);
  }
}
process.exitCode = rows.every(isRight) ? 0 : 1;
