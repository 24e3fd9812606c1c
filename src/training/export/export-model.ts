import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelFile, type ModelManifest, manifestSchema, sha256Of } from '../../inference/manifest.js';
import { AppError } from '../../lib/errors.js';
import { type Network, shapesOf, type ValueShape } from './network.js';
import { writeOnnx } from './onnx-writer.js';
import { writeTfjs } from './tfjs-writer.js';

export interface ExportOptions {
  /** The model's folder, `…/models/NAME`; made when it is not there, files of the same names replaced. */
  readonly modelDir: string;
  /** What the network itself cannot tell. */
  readonly manifest: Omit<ModelManifest, 'formatVersion' | 'input' | 'outputs' | 'forms'>;
  /** By the outputs' public names. */
  readonly outputs: Readonly<Record<string, { readonly meaning: string; readonly stride?: number }>>;
  /** Sides of a dynamic input must be multiples of it. */
  readonly multipleOf?: number;
  /** Store large weights as uint8 where that loses nothing, otherwise as float16. Default false: float32. */
  readonly isCompact?: boolean;
  /** Text of the model card, `README.md`. Left alone when absent. */
  readonly card?: string;
}

/**
 * Writes a whole model folder: `model.onnx`, `tfjs/model.json` with `tfjs/weights.bin`, the card, and last the
 * manifest, so that a reader never finds one that promises files which are not there yet.
 * Throws `AppError` EXPORT_NETWORK_INVALID or EXPORT_MANIFEST_INVALID before anything is written.
 */
export async function exportModel(network: Network, options: ExportOptions): Promise<ModelManifest> {
  const { modelDir, isCompact = false } = options;
  const shapes = shapesOf(network);
  const onnx = writeOnnx(network, { isCompact });
  const tfjs = writeTfjs(network, { isCompact });
  const modelJson = new TextEncoder().encode(`${JSON.stringify(tfjs.modelJson)}\n`);
  const weightsPath = `tfjs/${tfjs.weightsFile}`;

  const manifest = checked({
    formatVersion: 1,
    ...options.manifest,
    input: inputOf(shapes.get(network.nodes[0]?.name ?? '') as ValueShape, options.multipleOf),
    outputs: network.outputs.map(({ name, node }) => ({
      name,
      shape: dimensionsOf(shapes.get(node) as ValueShape),
      ...(options.outputs[name] ?? { meaning: '' }),
    })),
    forms: {
      onnx: entry('model.onnx', onnx),
      tfjs: {
        file: 'tfjs/model.json',
        files: [entry('tfjs/model.json', modelJson), entry(weightsPath, tfjs.weights)],
      },
    },
  });

  await mkdir(join(modelDir, 'tfjs'), { recursive: true });
  await writeFile(join(modelDir, 'model.onnx'), onnx);
  await writeFile(join(modelDir, 'tfjs', 'model.json'), modelJson);
  await writeFile(join(modelDir, weightsPath), tfjs.weights);
  if (options.card !== undefined) await writeFile(join(modelDir, 'README.md'), options.card);
  await writeFile(join(modelDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function inputOf(shape: ValueShape, multipleOf: number | undefined): ModelManifest['input'] {
  const { height, width } = shape.kind === 'picture' ? shape : { height: null, width: null };
  return {
    name: 'pixels',
    layout: 'NHWC',
    type: 'uint8',
    colour: 'rgb',
    heightPx: height,
    widthPx: width,
    ...(multipleOf === undefined ? {} : { multipleOf }),
  };
}

function dimensionsOf(shape: ValueShape): (number | null)[] {
  return shape.kind === 'vector' ? [null, shape.channels] : [null, shape.height, shape.width, shape.channels];
}

function entry(file: string, bytes: Uint8Array): ModelFile {
  return { file, sha256: sha256Of(bytes), sizeBytes: bytes.byteLength };
}

function checked(manifest: ModelManifest): ModelManifest {
  const parsed = manifestSchema.safeParse(manifest);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new AppError('EXPORT_MANIFEST_INVALID', `manifest of ${manifest.name}: ${problems.join('; ')}`, {
    cause: parsed.error,
  });
}
