/**
 * Makes the demo's clips (src/demo/footage/*.mp4) from two CC BY 4.0 clips of Intel's sample videos.
 *
 *   npx tsx scripts/make-demo-footage.ts --clips DIR [--out DIR] [--only NAME] [--preview DIR]
 *
 * DIR holds two-faces-turning.gif and corridor-walking.gif. What is changed is written in
 * src/demo/footage/ATTRIBUTION.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ffmpegInstaller from '@ffmpeg-installer/ffmpeg';
import sharp from 'sharp';
import type { FaceDetection, Landmarks } from '../src/domain/face.js';
import { readManifest } from '../src/inference/manifest.js';
import { OnnxRuntimeEngine } from '../src/inference/onnxruntime-engine.js';
import { FaceFinder } from '../workers/face-finder.js';
import { paintMask } from './demo-footage/face-mask-painter.js';
import { landmarkTracks } from './demo-footage/landmark-tracks.js';
import { DEMO_SCENES, type DemoScene } from './demo-footage/scenes.js';

const WIDTH = 1280;
const HEIGHT = 720;
const RATE_FPS = 25;
/** Half the picture is enough for these faces, and multiples of 32. */
const DETECTOR_WIDTH = 640;
const DETECTOR_HEIGHT = 384;
const FRAME_BYTES = WIDTH * HEIGHT * 3;

const { values } = parseArgs({
  options: {
    clips: { type: 'string' },
    out: { type: 'string', default: 'src/demo/footage' },
    only: { type: 'string' },
    preview: { type: 'string' },
  },
});
if (!values.clips) throw new Error('--clips DIR is missing: the folder with the two source clips');
const clipsDir = values.clips;
await mkdir(values.out, { recursive: true });
if (values.preview) await mkdir(values.preview, { recursive: true });

const engine = await OnnxRuntimeEngine.open({ threads: 2 });
const model = await engine.load('models/yunet-n');
const finder = new FaceFinder(model, await readManifest('models/yunet-n'), DETECTOR_WIDTH, DETECTOR_HEIGHT);
try {
  for (const scene of DEMO_SCENES) {
    if (values.only && scene.name !== values.only) continue;
    await makeScene(scene);
  }
} finally {
  await model.close();
  await engine.close();
}

async function makeScene(scene: DemoScene): Promise<void> {
  const frames = await decode(join(clipsDir, scene.source), scene.filters);
  const tracks = scene.people > 0 ? landmarkTracks(await detectAll(frames), scene.people) : [];
  const forward = frames.map((_, index) => index);
  const once = scene.isPingPong ? [...forward, ...forward.slice(1, -1).reverse()] : forward;
  const order = Array.from({ length: scene.repeats }, () => once).flat();
  const target = join(values.out, `${scene.name}.mp4`);
  process.stderr.write(`${scene.name}: ${frames.length} frames decoded, ${order.length} to encode\n`);

  const encoder = spawn(
    ffmpegInstaller.path,
    [
      ...['-y', '-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${WIDTH}x${HEIGHT}`],
      ...['-r', String(RATE_FPS), '-i', 'pipe:0', '-vf', 'noise=alls=3:allf=t', '-pix_fmt', 'yuv420p'],
      // A keyframe each second and no B-frames: a late viewer starts soon, and packets are in order of display.
      ...['-c:v', 'libx264', '-preset', 'slow', '-crf', '29', '-profile:v', 'main', '-bf', '0'],
      ...['-x264-params', 'keyint=25:min-keyint=25:scenecut=0', '-movflags', '+faststart', target],
    ],
    { stdio: ['pipe', 'inherit', 'inherit'] },
  );
  for (const [position, index] of order.entries()) {
    const timeSeconds = position / RATE_FPS;
    const drawing = tracks
      .map((track, person) => {
        const pose = scene.masks[person]?.(timeSeconds);
        const landmarks = track[index];
        const cloth = scene.cloths[person];
        return pose && landmarks && cloth ? paintMask(landmarks, pose, cloth, `mask${person}`) : '';
      })
      .join('');
    const clothed = scene.smoothClothesOf === undefined ? undefined : tracks[scene.smoothClothesOf]?.[index];
    const frame = clothed ? await smoothClothes(frames[index] as Buffer, clothed) : (frames[index] as Buffer);
    const painted = drawing === '' ? frame : await compose(frame, drawing);
    if (!encoder.stdin.write(painted)) await new Promise((resolve) => encoder.stdin.once('drain', resolve));
    if (values.preview && position % 50 === 25) {
      const raw = { width: WIDTH, height: HEIGHT, channels: 3 as const };
      await sharp(painted, { raw })
        .jpeg()
        .toFile(join(values.preview, `${scene.name}-${position}.jpg`));
    }
  }
  encoder.stdin.end();
  await exited(encoder);
}

/** Blurs what is below a face: three faces wide, four high. */
async function smoothClothes(frame: Buffer, landmarks: Landmarks): Promise<Buffer> {
  const [rightEye, leftEye, , rightMouth, leftMouth] = landmarks;
  const mouthY = (rightMouth.y + leftMouth.y) / 2;
  const faceHeightPx = 2.2 * (mouthY - (rightEye.y + leftEye.y) / 2);
  const centreX = (rightEye.x + leftEye.x) / 2;
  const left = Math.max(0, Math.round(centreX - 1.6 * faceHeightPx));
  const top = Math.max(0, Math.round(mouthY + 0.6 * faceHeightPx));
  const width = Math.min(WIDTH - left, Math.round(3.2 * faceHeightPx));
  const height = Math.min(HEIGHT - top, Math.round(4 * faceHeightPx));
  if (width < 8 || height < 8) return frame;
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 as const };
  const patch = await sharp(frame, { raw })
    .extract({ left, top, width, height })
    .blur(0.22 * faceHeightPx)
    .png()
    .toBuffer();
  return await sharp(frame, { raw })
    .composite([{ input: patch, left, top }])
    .removeAlpha()
    .raw()
    .toBuffer();
}

async function compose(frame: Buffer, drawing: string): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">${drawing}</svg>`;
  return await sharp(frame, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .raw()
    .toBuffer();
}

async function decode(file: string, filters: string): Promise<Buffer[]> {
  const decoder = spawn(
    ffmpegInstaller.path,
    ['-v', 'error', '-i', file, '-vf', filters, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const done = exited(decoder);
  const chunks: Buffer[] = [];
  for await (const chunk of decoder.stdout) chunks.push(chunk as Buffer);
  await done;
  const all = Buffer.concat(chunks);
  return Array.from({ length: Math.floor(all.length / FRAME_BYTES) }, (_, i) =>
    all.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
  );
}

async function detectAll(frames: readonly Buffer[]): Promise<FaceDetection[][]> {
  const buffer = new SharedArrayBuffer(FRAME_BYTES);
  const view = new Uint8Array(buffer);
  const found: FaceDetection[][] = [];
  for (const frame of frames) {
    view.set(frame);
    const pixels = {
      buffer,
      byteOffset: 0,
      width: WIDTH,
      height: HEIGHT,
      contentWidth: WIDTH,
      contentHeight: HEIGHT,
    };
    const { faces } = await finder.detect({ kind: 'detect', pixels, scoreThreshold: 0.4 });
    found.push([...faces]);
  }
  return found;
}

async function exited(child: ReturnType<typeof spawn>): Promise<void> {
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
}
