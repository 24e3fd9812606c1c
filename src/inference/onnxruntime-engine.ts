import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { EngineInfo } from '../../workers/protocol.js';
import { AppError, messageOf } from '../lib/errors.js';
import { checkPictureInput } from './check-input.js';
import type { EngineDevice, InferenceEngine, LoadedModel, Tensor } from './engine.js';
import { type ModelManifest, readManifest } from './manifest.js';
import { refuseTelemetry } from './native-environment.js';
import { type ChosenProvider, chooseProvider } from './onnxruntime-provider.js';
import { padBatches } from './pad-batches.js';

type Ort = typeof import('onnxruntime-node');
type Session = import('onnxruntime-node').InferenceSession;
type SessionOptions = import('onnxruntime-node').InferenceSession.SessionOptions;

export interface OnnxRuntimeOptions {
  /** Threads of one operation; with one there is no thread pool at all. */
  readonly threads: number;
  /** Default auto: CUDA where its library has been installed and starts, else the CPU. */
  readonly device?: EngineDevice | undefined;
}

/** ONNX Runtime on the CPU, or on an NVIDIA GPU where the library for that lies beside it. */
export class OnnxRuntimeEngine implements InferenceEngine {
  readonly info: EngineInfo;
  readonly #ort: Ort;
  readonly #sessionOptions: SessionOptions;
  readonly #models = new Set<LoadedModel>();

  /** Throws what the package throws when it is missing or does not fit this machine. */
  static async open(options: OnnxRuntimeOptions): Promise<OnnxRuntimeEngine> {
    if (isMainThread) refuseTelemetry();
    const ort = await import('onnxruntime-node');
    // 'warning' tells of every GPU that a container hides.
    ort.env.logLevel = 'error';
    return new OnnxRuntimeEngine(ort, options, await chooseProvider(ort, options.device ?? 'auto'));
  }

  private constructor(ort: Ort, { threads }: OnnxRuntimeOptions, provider: ChosenProvider) {
    this.#ort = ort;
    this.#sessionOptions = {
      executionProviders: [...provider.providers],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: Math.max(1, Math.min(threads, availableParallelism())),
      interOpNumThreads: 1,
      // Micro-batches vary in size; patterns would be kept for every one of them.
      enableMemPattern: false,
      extra: {
        session: {
          // Waiting threads sleep: spinning would burn the cores that decode the cameras.
          intra_op: { allow_spinning: '0' },
          // Tiny numbers slow the CPU down many times over and change no score.
          set_denormal_as_zero: '1',
        },
      },
    };
    this.info = {
      engine: 'onnxruntime',
      device: provider.device,
      version: ort.env.versions.common ?? 'unknown',
      reason: provider.reason,
      ...(provider.shortfall === undefined ? {} : { shortfall: provider.shortfall }),
    };
  }

  async load(modelDir: string): Promise<LoadedModel> {
    const manifest = await readManifest(modelDir);
    const path = join(modelDir, manifest.forms.onnx.file);
    if (!existsSync(path)) {
      throw new AppError('MODEL_NOT_FOUND', `model ${manifest.name}: ${path} is missing`, {
        path,
        exitCode: 3,
        hint: 'maskwatch models verify shows which files are whole',
      });
    }
    let session: Session;
    try {
      session = await this.#ort.InferenceSession.create(path, this.#sessionOptions);
    } catch (cause) {
      throw loadError(manifest, path, cause);
    }
    checkNames(manifest, session, path);
    const model = new OnnxModel(this.#ort, session, manifest, () => this.#models.delete(model));
    this.#models.add(model);
    return this.info.device === 'cpu' ? model : padBatches(model);
  }

  async close(): Promise<void> {
    for (const model of [...this.#models]) await model.close();
  }
}

class OnnxModel implements LoadedModel {
  readonly #ort: Ort;
  readonly #manifest: ModelManifest;
  readonly #outputNames: readonly string[];
  readonly #onClose: () => void;
  #session: Session | null;

  constructor(ort: Ort, session: Session, manifest: ModelManifest, onClose: () => void) {
    this.#ort = ort;
    this.#session = session;
    this.#manifest = manifest;
    this.#outputNames = manifest.outputs.map(({ name }) => name);
    this.#onClose = onClose;
  }

  async run(
    inputs: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor & { data: Float32Array }>> {
    const { name, data, shape } = checkPictureInput(this.#manifest, inputs);
    if (!this.#session) throw new AppError('INFERENCE_FAILED', `model ${this.#manifest.name} is closed`);
    const feeds = { [name]: new this.#ort.Tensor('uint8', data, shape) };
    let results: Awaited<ReturnType<Session['run']>>;
    try {
      results = await this.#session.run(feeds, this.#outputNames);
    } catch (cause) {
      throw new AppError('INFERENCE_FAILED', `model ${this.#manifest.name}: ${messageOf(cause)}`, {
        cause,
        retryable: true,
      });
    }
    const outputs: Record<string, Tensor & { data: Float32Array }> = {};
    for (const output of this.#outputNames) {
      const tensor = results[output]!;
      outputs[output] = { data: tensor.data as Float32Array, shape: tensor.dims };
    }
    return outputs;
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#onClose();
    await session?.release();
  }
}

function checkNames(manifest: ModelManifest, session: Session, path: string): void {
  const missing = [
    ...(session.inputNames.includes(manifest.input.name) ? [] : [manifest.input.name]),
    ...manifest.outputs.map(({ name }) => name).filter((name) => !session.outputNames.includes(name)),
  ];
  if (missing.length === 0) return;
  throw new AppError(
    'MODEL_INVALID',
    `model ${manifest.name}: ${path} has no ${missing.join(', ')} (inputs ${session.inputNames.join(', ')}; outputs ${session.outputNames.join(', ')})`,
    { path },
  );
}

function loadError(manifest: ModelManifest, path: string, cause: unknown): AppError {
  const message = messageOf(cause);
  const code = /NOT_IMPLEMENTED|No Op registered|not a registered function/i.test(message)
    ? 'MODEL_UNSUPPORTED'
    : 'MODEL_INVALID';
  return new AppError(code, `model ${manifest.name}: ONNX Runtime cannot load ${path}: ${message}`, {
    cause,
    path,
    hint: 'maskwatch models verify shows which files are whole',
  });
}
