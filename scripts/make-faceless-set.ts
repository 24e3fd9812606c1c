/**
 * Makes the set of pictures without any face on which false boxes are counted, and its manifest. What is cut out of
 * what stands in models/data/faceless-set.jsonl: held-out pictures of the data and two clips, every one looked at.
 *
 *   npx tsx scripts/make-faceless-set.ts --data DIR --out DIR
 *   npx tsx scripts/make-faceless-set.ts --data DIR --out DIR --draw [--count 500] --sheets DIR
 *
 * --draw makes another set, by labels, corrections and models/data/faceless-exclude.json; the same of these give the
 * same set. --sheets writes numbered contact sheets, and close-ups of all that a careless detector sees: whoever draws
 * looks at all of them, names the faces that are left in the list of exclusions, draws again, and puts the manifest in
 * the place of the shipped one once there is none.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { packageRoot } from '../src/lib/package-paths.js';
import { readRgbPicture } from '../src/training/dataset/rgb-picture.js';
import { FACELESS_CLIPS, frameAt } from '../src/training/faceless/clip-pictures.js';
import { cutMask } from '../src/training/faceless/cut-mask.js';
import { shippedExcludeList } from '../src/training/faceless/exclude-list.js';
import {
  describeManifest,
  MANIFEST_FILE,
  type ManifestLine,
  readManifest,
  shippedFacelessSet,
} from '../src/training/faceless/manifest.js';
import { renderPicture } from '../src/training/faceless/render-picture.js';
import { drawPictures } from './make-faceless-set/draw-pictures.js';
import { LookSheets } from './make-faceless-set/look-sheets.js';
import { findSources, readSources } from './make-faceless-set/sources.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    draw: { type: 'boolean', default: false },
    count: { type: 'string', default: '500' },
    sheets: { type: 'string' },
    exclude: { type: 'string', default: shippedExcludeList() },
    cache: { type: 'string', default: join(tmpdir(), 'maskwatch-training') },
  },
});

const problem = await usageProblem();
if (problem) {
  process.stderr.write(`${problem}\nusage: npx tsx scripts/make-faceless-set.ts --data DIR --out DIR\n`);
  process.exitCode = 2;
} else await makeSet(resolve(values.data!), resolve(values.out!));

async function usageProblem(): Promise<string | null> {
  const { data, out, count } = values;
  if (!data || !out) return '--data and --out are needed';
  if (!(Number.isInteger(Number(count)) && Number(count) > 0))
    return '--count must be a whole number above 0';
  if (!relative(packageRoot(), resolve(out)).startsWith('..'))
    return '--out must lie outside the repository: the pictures are never committed';
  const there = await readdir(out).catch(() => []);
  return there.length > 0 ? `${out} is not empty` : null;
}

async function makeSet(dataDir: string, outDir: string): Promise<void> {
  const { pictures, paths } = await planSet(dataDir);
  const ffmpeg = await findFfmpeg();
  const sheets = values.sheets ? await LookSheets.open(resolve(values.sheets)) : null;
  await mkdir(join(outDir, 'pictures'), { recursive: true });
  for (const [index, picture] of pictures.entries()) {
    const { source, overlay } = picture;
    const path = paths.get(source.hash)!;
    const bytes = source.atMs === undefined ? path : await frameAt(path, source.atMs, ffmpeg);
    const mask = overlay ? await cutMask(await readRgbPicture(paths.get(overlay.source.hash)!)) : null;
    const jpeg = await renderPicture(picture, await readRgbPicture(bytes), mask);
    await writeFile(join(outDir, picture.file), jpeg);
    await sheets?.add(index + 1, picture, jpeg);
  }
  await sheets?.finish();
  const lines = pictures.map(({ file, ...plan }) => ({ file, plan }));
  await writeFile(join(outDir, MANIFEST_FILE), describeManifest(lines));
  report(pictures);
}

async function planSet(
  dataDir: string,
): Promise<{ pictures: readonly ManifestLine[]; paths: ReadonlyMap<string, string> }> {
  if (!values.draw) {
    const pictures = (await readManifest(shippedFacelessSet())) ?? [];
    const sources = pictures.flatMap(({ source, overlay }) => [source, ...(overlay ? [overlay.source] : [])]);
    return { pictures, paths: await findSources(dataDir, sources) };
  }
  const sources = await readSources({ dataDir, cacheDir: values.cache, clips: FACELESS_CLIPS });
  const pictures = await drawPictures(sources, values.exclude, Number(values.count));
  return { pictures, paths: sources.paths };
}

function report(pictures: readonly ManifestLine[]): void {
  const table = new Map<string, number>();
  for (const { kind, part } of pictures)
    table.set(`${kind} (${part})`, (table.get(`${kind} (${part})`) ?? 0) + 1);
  process.stdout.write(`${pictures.length} pictures\n`);
  for (const [what, count] of [...table].sort()) process.stdout.write(`  ${what}: ${count}\n`);
}
