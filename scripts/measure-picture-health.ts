/**
 * Holds picture health against made footage of each fault, and against footage that nothing is wrong with.
 *
 *   npx tsx scripts/measure-picture-health.ts [--clips DIR] [--clip NAME…] [--fault TEXT…] [--fps 5] [--keep DIR] [--json]
 *
 * Each clip (those of the demo, and *.mp4 and *.gif of DIR) is looped to 60 s; faults last from the 28th second to the
 * 50th. Printed are, per fault, on how many clips it was told, after how long, how long it was told after its end, and
 * whatever else was told; and per untouched clip (as it is, looped) everything that was told.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { configSchema } from '../src/config/schema.js';
import { footageCameras } from '../src/demo/demo-cameras.js';
import { type FfmpegBinary, findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { MADE_FAULTS, makeBase, makeFault } from './measure-picture-health/made-footage.js';
import {
  type FaultResult,
  printResults,
  type UntouchedResult,
} from './measure-picture-health/print-results.js';
import { watchClip } from './measure-picture-health/watch-clip.js';

const TIMES = { beforeSeconds: 28, faultSeconds: 22, afterSeconds: 10 } as const;

const { values } = parseArgs({
  options: {
    clips: { type: 'string' },
    clip: { type: 'string', multiple: true },
    fault: { type: 'string', multiple: true },
    fps: { type: 'string', default: String(configSchema.parse({}).analysis.rateFps) },
    keep: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rateFps = Number(values.fps);
const health = {
  ...{ frozenMs: 10_000, blindMs: 3000, sceneMs: 10_000, acceptMs: 1_800_000, clockSkewMs: 5000 },
  periodMs: 1000 / rateFps,
};

const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'maskwatch-health-')));
await mkdir(folder, { recursive: true });
try {
  await measure(await findFfmpeg());
} finally {
  if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
}

async function measure(binary: FfmpegBinary): Promise<void> {
  const faults: FaultResult[] = [];
  const untouched: UntouchedResult[] = [];
  for (const clip of await clipFiles()) {
    const name = basename(clip).replace(/\.\w+$/, '');
    const base = join(folder, `${name}.base.mp4`);
    const seconds = TIMES.beforeSeconds + TIMES.faultSeconds + TIMES.afterSeconds;
    await makeBase(binary.path, clip, seconds + 1, base);
    untouched.push({ clip: name, ...(await watchClip(base, { binary, rateFps, health })) });
    for (const fault of MADE_FAULTS) {
      if (values.fault && !values.fault.some((text) => fault.name.includes(text))) continue;
      const path = join(
        folder,
        `${name}.${fault.name.replace(/\W+/g, '-')}.${fault.brokenEvery ? 'ts' : 'mp4'}`,
      );
      await makeFault(binary.path, base, { fault, times: TIMES, path });
      const watched = await watchClip(path, { binary, rateFps, health });
      faults.push({ clip: name, fault: fault.name, expects: fault.expects, times: TIMES, ...watched });
      if (values.keep === undefined) await rm(path);
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ faults, untouched })}\n`);
  else printResults(faults, untouched);
}

async function clipFiles(): Promise<string[]> {
  const shipped = footageCameras(4).map(({ file }) => file);
  const given = values.clips === undefined ? [] : await readdir(values.clips);
  const all = [
    ...shipped,
    ...given
      .filter((name) => /\.(mp4|gif)$/.test(name))
      .sort()
      .map((name) => join(values.clips ?? '', name)),
  ];
  return all.filter((path) => !values.clip || values.clip.some((text) => basename(path).includes(text)));
}
