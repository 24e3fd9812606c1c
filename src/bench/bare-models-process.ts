/*
 * The bare cost of the models: the same number of inputs as the service had, through the same engine on one
 * thread, and nothing else. Argument: JSON {detectorDir, classifierDir, widthPx, heightPx, detections, closeUps,
 * classifications, engine}; close-ups are pictures of the size in the classifier's manifest. Says {detectionSeconds, classificationSeconds} of CPU.
 */
import { ENGINES } from '../../workers/engines.js';
import type { InferenceEngine } from '../inference/engine.js';
import { readManifest } from '../inference/manifest.js';
import { selectEngine } from '../inference/select-engine.js';

interface BareTask {
  readonly detectorDir: string;
  readonly classifierDir: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly detections: number;
  readonly closeUps: number;
  readonly classifications: number;
  readonly engine: 'auto' | 'onnxruntime' | 'tfjs';
}

const task = JSON.parse(process.argv[2] ?? '{}') as BareTask;
const engine = await selectEngine(task.engine, { threads: 1 }, ENGINES);
const { faceWeights } = await readManifest(task.classifierDir);
const closeUpPx = faceWeights?.closeUp?.sizePx ?? 0;
const detectionSeconds =
  (await measure(engine, task.detectorDir, task.detections, [task.heightPx, task.widthPx])) +
  (await measure(engine, task.detectorDir, task.closeUps, [closeUpPx, closeUpPx]));
const classificationSeconds = await measure(engine, task.classifierDir, task.classifications, null);
await engine.close();
process.stdout.write(`${JSON.stringify({ detectionSeconds, classificationSeconds })}\n`);

async function measure(
  on: InferenceEngine,
  modelDir: string,
  count: number,
  size: readonly [number, number] | null,
): Promise<number> {
  if (count === 0) return 0;
  const { input } = await readManifest(modelDir);
  const model = await on.load(modelDir);
  const height = size?.[0] ?? input.heightPx ?? 0;
  const width = size?.[1] ?? input.widthPx ?? 0;
  const tensor = { data: new Uint8Array(height * width * 3).fill(114), shape: [1, height, width, 3] };
  await model.run({ [input.name]: tensor });
  const before = process.cpuUsage();
  for (let done = 0; done < count; done++) await model.run({ [input.name]: tensor });
  const { user, system } = process.cpuUsage(before);
  await model.close();
  return (user + system) / 1e6;
}
