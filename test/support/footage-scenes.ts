import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentHashOf } from '../../src/training/dataset/fingerprint.js';
import { type RgbPicture, toSharp } from '../../src/training/dataset/rgb-picture.js';
import { DetectorSession } from '../../src/training/detector/detector-session.js';
import type { Network } from '../../src/training/export/network.js';
import { videoFrame } from './video-frame.js';

/** The last one is the validation part. */
const SHOTS = [
  ['entrance', 'without_mask'],
  ['reception', 'with_mask'],
  ['corridor', 'without_mask'],
] as const;

/**
 * Writes labelled pictures into `root`: `data/scenes/rooms` with what `detector` finds in three pictures of the demo
 * footage, `data/crops/people` with one person of them, and `split.json`. Returns the three pictures.
 */
export async function writeFootageScenes(root: string, detector: Network): Promise<RgbPicture[]> {
  const pictures = await Promise.all(SHOTS.map(([name]) => shot(name)));
  const session = await DetectorSession.open(detector);
  const scenes = join(root, 'data', 'scenes', 'rooms');
  const portraits = join(root, 'data', 'crops', 'people', 'without_mask');
  for (const folder of [scenes, portraits]) await mkdir(folder, { recursive: true });
  const lines: string[] = [];
  for (const [index, [name, label]] of SHOTS.entries()) {
    const picture = pictures[index]!;
    await toSharp(picture).toFile(join(scenes, `${name}.png`));
    const faces = (await session.find(picture, 640, 0.5)).map(({ box }) => ({ ...box, label }));
    lines.push(JSON.stringify({ file: `${name}.png`, width: picture.width, height: picture.height, faces }));
    if (index > 0) continue;
    const [{ x, y, width, height }] = faces as [(typeof faces)[number]];
    const [left, top] = [Math.round(x - width * 0.4), Math.round(y - height * 0.4)];
    await toSharp(picture)
      .extract({ left, top, width: Math.round(width * 1.8), height: Math.round(height * 1.8) })
      .toFile(join(portraits, 'one.png'));
  }
  await session.close();
  await writeFile(join(scenes, 'annotations.jsonl'), `${lines.join('\n')}\n`);
  const held = `${SHOTS.at(-1)![0]}.png`;
  const split = {
    formatVersion: 1,
    about: '',
    rules: { seed: '', validationFraction: 0, testFraction: 0, twinMaxDistance: 0, fixed: {} },
    counts: {},
    validation: { 'scenes/rooms': [`${await contentHashOf(join(scenes, held))} ${held}`] },
    test: {},
  };
  await writeFile(join(root, 'split.json'), JSON.stringify(split));
  return pictures;
}

async function shot(name: string): Promise<RgbPicture> {
  const { buffer, width, height } = await videoFrame(
    join(import.meta.dirname, `../../src/demo/footage/${name}.mp4`),
    { atSeconds: 4, width: 640, height: 360 },
  );
  return { data: new Uint8Array(buffer), buffer: buffer as SharedArrayBuffer, width, height };
}
