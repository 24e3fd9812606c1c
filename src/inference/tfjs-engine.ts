import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { io, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { EngineInfo } from '../../workers/protocol.js';
import { AppError, messageOf } from '../lib/errors.js';
import { checkPictureInput } from './check-input.js';
import type { EngineDevice, InferenceEngine, LoadedModel, Tensor } from './engine.js';
import { loadFrozen } from './load-frozen.js';
import { type ModelManifest, readManifest } from './manifest.js';
import { padBatches } from './pad-batches.js';
import { loadTfRuntime, type TfRuntime } from './tfjs-runtime.js';

export interface TfjsOptions {
  /** Default: the best that loads. */
  readonly device?: EngineDevice | undefined;
  /** Threads of one operation of native TensorFlow. Default 1. */
  readonly threads?: number | undefined;
}

/**
 * TensorFlow.js: native TensorFlow where one of its packages loads, else WebAssembly. On the native library a model runs
 * as a frozen SavedModel, several times faster than the graph model operation by operation.
 */
export class TfjsEngine implements InferenceEngine {
  readonly info: EngineInfo;
  readonly #tf: TfRuntime;
  readonly #models = new Set<LoadedModel>();

  /** Throws what TensorFlow.js throws when not even WebAssembly starts. */
  static async open(options: TfjsOptions = {}): Promise<TfjsEngine> {
    return new TfjsEngine(await loadTfRuntime(options));
  }

  private constructor(tf: TfRuntime) {
    this.#tf = tf;
    const { device, version, reason, shortfall } = tf;
    this.info = {
      engine: 'tfjs',
      device,
      version,
      reason,
      ...(shortfall === undefined ? {} : { shortfall }),
    };
  }

  async load(modelDir: string): Promise<LoadedModel> {
    const manifest = await readManifest(modelDir);
    const artifacts = await readArtifacts(manifest, modelDir);
    let graph: RunnableGraph;
    try {
      graph = await loadGraph(this.#tf, artifacts);
    } catch (cause) {
      throw new AppError(
        'MODEL_INVALID',
        `model ${manifest.name}: TensorFlow.js cannot load it: ${messageOf(cause)}`,
        { cause, path: modelDir, hint: 'maskwatch models verify shows which files are whole' },
      );
    }
    checkNames(manifest, graph, artifacts);
    const model = new TfjsModel(this.#tf, graph, manifest, () => this.#models.delete(model));
    this.#models.add(model);
    return this.#tf.device === 'tensorflow-gpu' ? padBatches(model) : model;
  }

  async close(): Promise<void> {
    for (const model of [...this.#models]) await model.close();
  }
}

class TfjsModel implements LoadedModel {
  readonly #tf: TfRuntime;
  readonly #manifest: ModelManifest;
  readonly #outputNames: string[];
  readonly #onClose: () => void;
  #graph: RunnableGraph | null;

  constructor(tf: TfRuntime, graph: RunnableGraph, manifest: ModelManifest, onClose: () => void) {
    this.#tf = tf;
    this.#graph = graph;
    this.#manifest = manifest;
    this.#outputNames = manifest.outputs.map(({ name }) => name);
    this.#onClose = onClose;
  }

  async run(
    inputs: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor & { data: Float32Array }>> {
    const { name, data, shape } = checkPictureInput(this.#manifest, inputs);
    if (!this.#graph) throw new AppError('INFERENCE_FAILED', `model ${this.#manifest.name} is closed`);
    // TensorFlow.js has no uint8: its graphs take such an input as int32.
    const input = this.#tf.tensor(data, [...shape], 'int32');
    let results: TfTensor[] = [];
    try {
      results = this.#graph.run(name, input, this.#outputNames);
      const outputs: Record<string, Tensor & { data: Float32Array }> = {};
      for (const [index, output] of this.#outputNames.entries()) {
        const tensor = results[index]!;
        outputs[output] = { data: (await tensor.data()) as Float32Array, shape: tensor.shape };
      }
      return outputs;
    } catch (cause) {
      throw new AppError('INFERENCE_FAILED', `model ${this.#manifest.name}: ${messageOf(cause)}`, {
        cause,
        retryable: true,
      });
    } finally {
      input.dispose();
      for (const tensor of results) tensor.dispose();
    }
  }

  async close(): Promise<void> {
    this.#graph?.dispose();
    this.#graph = null;
    this.#onClose();
  }
}

/** A loaded graph, whichever form it runs in. */
interface RunnableGraph {
  /** Names of outputs that can be asked for, and of the inputs. */
  readonly names: readonly string[];
  /** One tensor per name, in their order; they are the caller's to dispose of. */
  run(inputName: string, input: TfTensor, outputNames: string[]): TfTensor[];
  dispose(): void;
}

async function loadGraph(tf: TfRuntime, artifacts: io.ModelArtifacts): Promise<RunnableGraph> {
  if (tf.native) {
    const model = await loadFrozen(tf.native, artifacts);
    return {
      names: [...model.inputs, ...model.outputs].map(({ name }) => name),
      run: (inputName, input, outputNames) => {
        const results = model.predict({ [inputName]: input }) as Record<string, TfTensor>;
        return outputNames.map((name) => results[name]!);
      },
      dispose: () => model.dispose(),
    };
  }
  const model: GraphModel = await tf.loadGraphModel({ load: () => Promise.resolve(artifacts) });
  return {
    names: [...model.inputs, ...model.outputs].map(({ name }) => name),
    run: (inputName, input, outputNames) => [model.execute({ [inputName]: input }, outputNames)].flat(),
    dispose: () => model.dispose(),
  };
}

/** model.json and its weights from the disk; TensorFlow.js itself would fetch them over the network. */
async function readArtifacts(manifest: ModelManifest, modelDir: string): Promise<io.ModelArtifacts> {
  const path = join(modelDir, manifest.forms.tfjs.file);
  const read = async (file: string) => {
    try {
      return await readFile(file);
    } catch (cause) {
      throw new AppError('MODEL_NOT_FOUND', `model ${manifest.name}: ${file} is missing`, {
        cause,
        path: file,
        exitCode: 3,
        hint: 'maskwatch models verify shows which files are whole',
      });
    }
  };
  const text = (await read(path)).toString('utf8');
  let json: io.ModelJSON;
  try {
    json = JSON.parse(text) as io.ModelJSON;
  } catch (cause) {
    throw new AppError('MODEL_INVALID', `model ${manifest.name}: ${path} is not JSON`, { cause, path });
  }
  const groups = json.weightsManifest ?? [];
  const shards: Buffer[] = [];
  for (const file of groups.flatMap((group) => group.paths))
    shards.push(await read(join(dirname(path), file)));
  const weights = Buffer.concat(shards);
  return {
    modelTopology: json.modelTopology,
    ...(json.format === undefined ? {} : { format: json.format }),
    ...(json.signature === undefined ? {} : { signature: json.signature }),
    weightSpecs: groups.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(
      weights.byteOffset,
      weights.byteOffset + weights.byteLength,
    ) as ArrayBuffer,
  };
}

function checkNames(manifest: ModelManifest, graph: RunnableGraph, artifacts: io.ModelArtifacts): void {
  const topology = artifacts.modelTopology as { node?: readonly { readonly name: string }[] };
  const nodes = new Set((topology.node ?? []).map(({ name }) => name));
  for (const name of graph.names) nodes.add(name);
  const missing = [manifest.input, ...manifest.outputs]
    .map(({ name }) => name)
    .filter((name) => !nodes.has(name));
  if (missing.length === 0) return;
  graph.dispose();
  throw new AppError(
    'MODEL_INVALID',
    `model ${manifest.name}: the TensorFlow.js graph has no ${missing.join(', ')}`,
  );
}
