// Watches a building of faulty cameras for a while, and whether anything grows: resident memory, open handles, threads
// and ffmpeg processes of `maskwatch serve`, sampled every ten seconds.
// npx tsx scripts/measure-soak.ts [--minutes 60] [--cameras 8] [--every 15] [--seed 1] [--plot soak.svg] [--json]
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChaos } from '../src/demo/chaos.js';
import { systemClock } from '../src/lib/clock.js';
import { lineCharts, SERIES_COLOURS } from '../src/training/report/line-chart.js';
import { ControlRoom } from '../test/support/control-room.js';
import { makeClip } from '../test/support/ingest-clips.js';
import { WatchedBuilding } from '../test/support/watched-building.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    cameras: { type: 'string', default: '8' },
    every: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    plot: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const SAMPLE_MS = 10_000;
const minutes = Number(values.minutes);
const say = (line: string) => process.stderr.write(`${line}\n`);

interface Sample {
  readonly minute: number;
  readonly residentMb: number;
  readonly handles: number;
  readonly threads: number;
  readonly ffmpegs: number;
}
const QUANTITIES = ['residentMb', 'handles', 'threads', 'ffmpegs'] as const;

async function sample(pid: number, ffmpegs: number, minute: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const handles = (await readdir(`/proc/${pid}/fd`)).length;
  return { minute, residentMb: field('VmRSS') / 1024, handles, threads: field('Threads'), ffmpegs };
}

const folder = await mkdtemp(join(tmpdir(), 'maskwatch-soak-'));
const clip = (name: string, width: number, height: number, rateFps: number) =>
  makeClip(folder, { ...{ name, width, height, rateFps }, seconds: 10, bFrames: 0 });
const [file, other] = [await clip('clip.mp4', 320, 180, 25), await clip('other.mp4', 480, 320, 15)];
const cameras = Array.from({ length: Number(values.cameras) }, (_, i) => ({ id: `cam-${i + 1}`, file }));
const building = await WatchedBuilding.open({
  cameras: cameras.map(({ id }) => ({ id, name: id, file })),
  config: {
    analysis: { rateFps: 2, widthPx: 320, heightPx: 180 },
    detection: { widthPx: 320, heightPx: 192 },
  },
});
const isOver = new AbortController();
const samples: Sample[] = [];
let faults = 0;
try {
  const service = await building.startService();
  const room = await ControlRoom.enter(service.url, { cameras: 'all' });
  const chaos = runChaos(
    {
      ...{ server: building.simulated.server, cameras, seed: Number(values.seed), clock: systemClock },
      clips: [{ file: other, words: 'shows a clip of another size' }],
      everyMs: Number(values.every) * 1000,
      say: (line) => {
        if (/ for \d+ s$/.test(line)) faults += 1;
        say(line);
      },
    },
    isOver.signal,
  );
  const beganMs = performance.now();
  const minute = () => (performance.now() - beganMs) / 60_000;
  while (minute() < minutes) {
    await systemClock.sleep(SAMPLE_MS, isOver.signal);
    samples.push(await sample(service.pid, service.ffmpegPids().length, minute()));
  }
  isOver.abort();
  await chaos;
  room.leave();
  await service.stop();
} finally {
  isOver.abort();
  await building.close();
  await rm(folder, { recursive: true, force: true });
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
/** The first tenth is start-up: buffers and caches fill. */
const settled = samples.slice(Math.ceil(samples.length / 10));
const third = Math.floor(settled.length / 3);
const rows = QUANTITIES.map((name) => ({
  name,
  early: median(settled.slice(0, third).map((each) => each[name])),
  late: median(settled.slice(-third).map((each) => each[name])),
  most: Math.max(...settled.map((each) => each[name])),
}));
if (values.plot !== undefined) {
  const panels = QUANTITIES.map((name) => ({
    title: name,
    xLabel: 'minute',
    series: [
      {
        name,
        colour: SERIES_COLOURS.training,
        points: samples.map((each) => [each.minute, each[name]] as const),
      },
    ],
  }));
  await writeFile(values.plot, lineCharts(panels, 'What the service holds over time'));
}
if (values.json) process.stdout.write(`${JSON.stringify({ minutes, faults, rows, samples })}\n`);
else {
  process.stdout.write(`${minutes} minutes, ${cameras.length} cameras, ${faults} faults\n`);
  process.stdout.write('| | early third, median | late third, median | most |\n| --- | --- | --- | --- |\n');
  for (const { name, early, late, most } of rows)
    process.stdout.write(`| ${name} | ${early.toFixed(1)} | ${late.toFixed(1)} | ${most.toFixed(1)} |\n`);
}
