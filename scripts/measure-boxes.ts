/**
 * Prints how far the box that the page draws is from the face in the picture under it, while people walk.
 *
 *   npx tsx scripts/measure-boxes.ts [--frames N] [--screenshot FILE] [--json]
 *
 * Everything is real: the corridor clip as a simulated RTSP camera, the service, Debian's Chromium. The box is
 * read from the pixels of the page's canvas. The face's place is found apart from the service: the picture on the
 * canvas is looked up in the clip by what it shows, and the detector runs on that frame at full size.
 */
import { parseArgs } from 'node:util';
import { App } from '../src/app.js';
import { footageCameras, footageFile } from '../src/demo/demo-cameras.js';
import { demoConfig } from '../src/demo/demo-config.js';
import { openSimulatedCameras } from '../src/demo/simulated-cameras.js';
import { findFfmpeg } from '../src/ingest/ffmpeg-binary.js';
import { createLog } from '../src/observability/logging.js';
import { drawnBox, launchBrowser, readFrames, type ShownFrame } from './measure-boxes/canvas-reader.js';
import {
  centre,
  distanceFrom,
  markedFace,
  nearest,
  quantile,
  trueFace,
  WALK_FRAMES,
  WALKERS,
} from './measure-boxes/corridor-walkers.js';
import { FootageTruth } from './measure-boxes/footage-truth.js';

const FRAME = { width: 1280, height: 720 };
const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '100' },
    screenshot: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const shown = await watch(Number(values.frames), values.screenshot);
const report = await measure(shown);
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  process.stdout.write(`${report.frames} frames, ${report.boxes} boxes drawn\n`);
  for (const [what, { count, medianPx, p95Px, maxPx }] of Object.entries(report.distances))
    process.stdout.write(
      `${what.padEnd(34)} ${count} × median ${medianPx}, p95 ${p95Px}, max ${maxPx} px of the 1280×720 frame\n`,
    );
}

/** One camera on a wall of its own, so that a pixel of the canvas is about one of the frame. */
async function watch(frameCount: number, screenshot: string | undefined): Promise<ShownFrame[]> {
  const { path: ffmpegPath } = await findFfmpeg();
  const credentials = { username: 'measure', password: 'measure' };
  const cameras = footageCameras(1, ['corridor']);
  const simulated = await openSimulatedCameras({ cameras, ffmpegPath, credentials });
  const config = demoConfig({ cameras: simulated.cameras, credentials, port: 0, rateFps: 5 });
  const app = await App.open({ config, log: createLog(config.logging) });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1660, height: 900 } });
    await page.goto(app.url);
    await readFrames(page, 'corridor', 3);
    const frames = await readFrames(page, 'corridor', frameCount);
    if (screenshot) await page.screenshot({ path: screenshot });
    return frames;
  } finally {
    await browser.close();
    await app.close();
    await simulated.close();
  }
}

async function measure(frames: readonly ShownFrame[]) {
  const { path: ffmpegPath } = await findFfmpeg();
  const truth = await FootageTruth.open(footageFile('corridor'), ffmpegPath, WALK_FRAMES);
  const matched = frames.map((frame) => ({ frame, clipFrame: truth.match(frame.picture).frame }));
  const clipFaces = await truth.faces(matched.map(({ clipFrame }) => clipFrame));
  const fromTold: number[] = [];
  const fromClip: number[] = [];
  let boxes = 0;
  for (const { frame, clipFrame } of matched) {
    for (const face of frame.faces) {
      boxes += 1;
      const drawn = drawnBox(frame, face, FRAME);
      if (drawn) fromTold.push(distanceFrom(centre(face.box), drawn));
    }
    for (const walker of WALKERS) {
      const told = nearest(markedFace(walker, clipFrame), frame.faces, 30);
      const drawn = told && drawnBox(frame, told, FRAME);
      if (!drawn) continue;
      const inClip = trueFace(walker, clipFrame, clipFaces.get(clipFrame) ?? []);
      if (inClip) fromClip.push(distanceFrom(centre(inClip.box), drawn));
    }
  }
  return {
    frames: frames.length,
    boxes,
    distances: {
      'drawn box to the box told': summary(fromTold),
      'drawn box to the face in the clip': summary(fromClip),
    },
  };
}

function summary(distances: readonly number[]) {
  const px = (share: number) => Math.round(quantile(distances, share) * 10) / 10;
  return { count: distances.length, medianPx: px(0.5), p95Px: px(0.95), maxPx: px(1) };
}
