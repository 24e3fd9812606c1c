// Every fault of a simulated camera through each ffmpeg, over TCP and UDP: until it is noticed, what a client is told, until pictures come
// again, processes left. The watchdog is set to 2.5 s without a picture and 8 s until the first.
// npx tsx scripts/measure-camera-faults.ts [--json]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RtspServer } from '../src/demo/rtsp/server.js';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { type FaultStory, faultCases, playFault } from '../test/support/fault-story.js';
import { FFMPEGS, makeClip, npmFfmpeg } from '../test/support/ingest-clips.js';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const auth = { username: 'watch man', password: `p@ss/w:%?#"x' ü` };
const folder = await mkdtemp(join(tmpdir(), 'maskwatch-faults-'));
const rows: ({ ffmpeg: string; transport: string; fault: string } & (FaultStory | { error: string }))[] = [];
try {
  const clip = (name: string, width: number, height: number, rateFps: number) =>
    makeClip(folder, { ...{ name, width, height, rateFps }, seconds: 4, bFrames: 0 });
  const [file, other] = [await clip('clip.mp4', 320, 180, 25), await clip('other.mp4', 480, 320, 15)];
  await using server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [{ path: '/cam', file, auth: { ...auth, scheme: 'digest' } }],
  });
  for (const { path, isPresent } of FFMPEGS) {
    if (!isPresent) continue;
    const binary = await findFfmpeg({ path });
    for (const transport of ['tcp', 'udp'] as const)
      for (const fault of faultCases(other)) {
        process.stderr.write(`${binary.version}, ${transport}: ${fault.name}\n`);
        const row = { ffmpeg: binary.version, transport, fault: fault.name };
        try {
          const story = await playFault(fault, { ...{ server, path: '/cam', binary, transport }, ...auth });
          rows.push({ ...row, ...story });
        } catch (error) {
          rows.push({ ...row, error: error instanceof Error ? error.message : String(error) });
        }
      }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  const line = (cells: readonly unknown[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
  line(['ffmpeg', 'over', 'fault', 'noticed, s', 'told', 'picture again, s', 'restarts', 'left']);
  line(Array.from({ length: 8 }, () => '---'));
  const seconds = (ms: number | null) => (ms === null ? '–' : (ms / 1000).toFixed(1));
  for (const row of rows)
    if ('error' in row) line([row.ffmpeg, row.transport, row.fault, '–', row.error, '–', '–', '–']);
    else {
      const { ffmpeg, transport, fault, noticedMs, told, recoveredMs, restarts, leftProcesses } = row;
      line([
        ffmpeg,
        transport,
        fault,
        seconds(noticedMs),
        told,
        seconds(recoveredMs),
        restarts,
        leftProcesses,
      ]);
    }
}
process.exitCode = rows.every((row) => !('error' in row) && row.leftProcesses === 0) ? 0 : 1;
