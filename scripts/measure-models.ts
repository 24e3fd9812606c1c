// Times the shipped detector and backbone on one thread, in ONNX Runtime and in TensorFlow.js (WebAssembly); given
// the original YuNet, that one too. Runs take turns, so that a busy machine is unfair to none of them.
// npx tsx scripts/measure-models.ts [yunet_n_dynamic.onnx]
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-wasm';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { mobileNetV2, readBackboneWeights } from '../src/training/export/mobilenet-v2.js';
import { writeOnnx } from '../src/training/export/onnx-writer.js';
import { type TfjsModelFiles, toModelArtifacts, writeTfjs } from '../src/training/export/tfjs-writer.js';

const ROUNDS = 40;
const WARM_UP_ROUNDS = 5;
const THREADS = { intraOpNumThreads: 1, interOpNumThreads: 1 };
const modelsDir = fileURLToPath(new URL('../models/', import.meta.url));

type Run = () => Promise<unknown>;
const runs = new Map<string, Run>();

function addOnnx(title: string, session: InferenceSession, inputName: string, input: Tensor): void {
  runs.set(title, () => session.run({ [inputName]: input }));
}

function addTfjs(title: string, model: GraphModel, pixels: Uint8Array, shape: number[]): void {
  const outputNames = model.outputs.map((output) => output.name);
  runs.set(title, async () =>
    tf.tidy(() => {
      const input = tf.tensor(Int32Array.from(pixels), shape, 'int32');
      const outputs = model.execute({ pixels: input }, outputNames) as tf.Tensor | tf.Tensor[];
      for (const output of [outputs].flat()) output.dataSync();
    }),
  );
}

function noise(shape: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random() * 256);
}

async function addYunet(originalPath: string | undefined): Promise<void> {
  const modelDir = join(modelsDir, 'yunet-n');
  const onnx = await InferenceSession.create(join(modelDir, 'model.onnx'), THREADS);
  const original = originalPath && (await InferenceSession.create(originalPath, THREADS));
  const modelJson = JSON.parse(await readFile(join(modelDir, 'tfjs', 'model.json'), 'utf8'));
  const weights = await readFile(join(modelDir, 'tfjs', 'weights.bin'));
  const files: TfjsModelFiles = { modelJson, weightsFile: 'weights.bin', weights };
  const tfjs = await loadGraphModel(tf.io.fromMemory(toModelArtifacts(files)));
  for (const [width, height] of [
    [640, 384],
    [320, 192],
  ] as const) {
    const shape = [1, height, width, 3];
    const pixels = noise(shape);
    const title = `yunet-n ${width}×${height}`;
    addOnnx(`${title} onnxruntime`, onnx, 'pixels', new Tensor('uint8', pixels, shape));
    const planes = new Tensor('float32', Float32Array.from(pixels), [1, 3, height, width]);
    if (original) addOnnx(`${title} onnxruntime, original`, original, 'input', planes);
    addTfjs(`${title} tfjs wasm`, tfjs, pixels, shape);
  }
}

async function addBackbone(): Promise<void> {
  const weights = await readBackboneWeights(join(modelsDir, 'imagenet-mobilenetv2'));
  for (const sizePx of [224, 160, 128]) {
    const network = mobileNetV2({ weights, sizePx });
    const onnx = await InferenceSession.create(writeOnnx(network, { isCompact: true }), THREADS);
    for (const batch of [1, 8]) {
      const shape = [batch, sizePx, sizePx, 3];
      const title = `mobilenetv2 ${sizePx}, batch ${batch}, onnxruntime`;
      addOnnx(title, onnx, 'pixels', new Tensor('uint8', noise(shape), shape));
    }
    const files = writeTfjs(network, { isCompact: true });
    const tfjs = await loadGraphModel(tf.io.fromMemory(toModelArtifacts(files)));
    const shape = [1, sizePx, sizePx, 3];
    addTfjs(`mobilenetv2 ${sizePx}, batch 1, tfjs wasm`, tfjs, noise(shape), shape);
  }
}

await tf.setBackend('wasm');
await addYunet(process.argv[2]);
await addBackbone();
const timesMs = new Map<string, number[]>();
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
  for (const [title, run] of runs) {
    const startMs = performance.now();
    await run();
    if (round >= 0) timesMs.set(title, [...(timesMs.get(title) ?? []), performance.now() - startMs]);
  }
for (const [title, times] of timesMs) {
  const [least = 0, median = 0] = [0, ROUNDS >> 1].map((rank) => times.sort((a, b) => a - b)[rank]);
  process.stdout.write(`${title.padEnd(44)} least ${least.toFixed(2)} ms, median ${median.toFixed(2)} ms\n`);
}
