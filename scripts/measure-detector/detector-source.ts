import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DetectorSession } from '../../src/training/detector/detector-session.js';
import type { DetectorSource } from '../../src/training/detector/measure-detector.js';

/** A detector's folder as a source of detections, opened when the first is asked for; its name goes with its weights. */
export async function detectorSource(folder: string): Promise<DetectorSource> {
  const path = join(folder, 'model.onnx');
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  let session: Promise<DetectorSession> | undefined;
  return { id: digest.slice(0, 16), open: () => (session ??= DetectorSession.open(path)) };
}
