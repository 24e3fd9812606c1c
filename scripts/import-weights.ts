// Makes models/yunet-n and models/imagenet-mobilenetv2 from the original weights.
// npx tsx scripts/import-weights.ts DATA_FOLDER [MODELS_FOLDER]
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Of } from '../src/inference/manifest.js';
import { exportModel } from '../src/training/export/export-model.js';
import { mergeSiblings } from '../src/training/export/merge-siblings.js';
import { mobileNetV2 } from '../src/training/export/mobilenet-v2.js';
import { readOnnx } from '../src/training/export/onnx-reader.js';
import { decodeWeights } from '../src/training/export/tfjs-weights.js';
import { imagenetCard, yunetCard } from './import-weights/cards.js';
import { yunetOutputs } from './import-weights/yunet-outputs.js';

const YUNET_FILE = 'yunet_n_dynamic.onnx';
const IMAGENET_NAME = 'mobilenet_v2_1.0_224_imagenet.weights';
const TFLITE_FILE = 'mobilenet_v2_1.0_224_quant.tflite';
async function importYunet(weightsDir: string, modelsDir: string): Promise<string> {
  const bytes = await readFile(join(weightsDir, YUNET_FILE));
  const outputs = yunetOutputs();
  const original = readOnnx(bytes, {
    name: 'yunet-n',
    colour: 'bgr',
    outputs: Object.keys(outputs),
  });
  const network = mergeSiblings(original);
  const modelDir = join(modelsDir, network.name);
  const source = { file: YUNET_FILE, sha256: sha256Of(bytes) };
  await exportModel(network, {
    modelDir,
    manifest: {
      name: network.name,
      version: '1.0.0',
      task: 'face-detection',
      description: 'YuNet-n, a face detector of 75 856 parameters with five landmarks.',
      license: 'Apache-2.0',
      origin: [
        `https://github.com/ShiqiYu/libfacedetection.train at 0047ac24, ${source.file}, sha256 ${source.sha256}`,
      ],
      training: { data: 'WIDER FACE, by the authors', parameters: 75_856 },
    },
    outputs,
    multipleOf: 32,
    card: yunetCard(source),
  });
  return modelDir;
}

async function importImagenet(weightsDir: string, modelsDir: string): Promise<string> {
  const specs = z
    .array(z.object({ name: z.string(), shape: z.array(z.number()), dtype: z.string() }))
    .parse(JSON.parse(await readFile(join(weightsDir, `${IMAGENET_NAME}.json`), 'utf8')));
  const bytes = await readFile(join(weightsDir, `${IMAGENET_NAME}.bin`));
  const tflite = { file: TFLITE_FILE, sha256: sha256Of(await readFile(join(weightsDir, TFLITE_FILE))) };
  const name = 'imagenet-mobilenetv2';
  const network = mobileNetV2({ name, weights: decodeWeights(specs, bytes), sizePx: null });
  const modelDir = join(modelsDir, name);
  await exportModel(network, {
    modelDir,
    isCompact: true,
    manifest: {
      name,
      version: '1.0.0',
      task: 'image-features',
      description:
        'MobileNetV2 1.0 trained on ImageNet, without its classifier: the start of every training.',
      license: 'Apache-2.0',
      origin: [`https://github.com/google-coral/test_data, ${tflite.file}, sha256 ${tflite.sha256}`],
      training: { data: 'ImageNet (ILSVRC 2012), by the authors', parameters: bytes.byteLength / 4 },
    },
    outputs: { features: { meaning: 'averages over all pixels of the 1280 last channels, each in [0, 6]' } },
    multipleOf: 32,
    card: imagenetCard(tflite),
  });
  return modelDir;
}

const [dataDir, modelsDir = 'models'] = process.argv.slice(2);
if (dataDir === undefined) {
  process.stderr.write('usage: npx tsx scripts/import-weights.ts DATA_FOLDER [MODELS_FOLDER]\n');
  process.exitCode = 2;
} else {
  const weightsDir = join(dataDir, 'weights');
  process.stdout.write(`${await importYunet(weightsDir, modelsDir)}\n`);
  process.stdout.write(`${await importImagenet(weightsDir, modelsDir)}\n`);
}
