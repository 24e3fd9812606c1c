import { existsSync } from 'node:fs';
import { messageOf } from '../lib/errors.js';
import type { EngineDevice } from './engine.js';
import { providerLibrary } from './engine-packages.js';

type Ort = typeof import('onnxruntime-node');
type Provider = 'cpu' | 'cuda' | 'tensorrt';

/** What ONNX Runtime computes on, and why not on what would come before it. */
export interface ChosenProvider {
  readonly device: Provider;
  /** For `executionProviders`: what the first cannot run falls to the next. */
  readonly providers: readonly Provider[];
  readonly reason: string;
  /** What was asked for by name and is not to be had. */
  readonly shortfall?: string;
}

/** TensorRT compiles each model for minutes, so it is taken only when asked for. */
const WANTED: Readonly<Record<EngineDevice, readonly Provider[]>> = {
  auto: ['cuda', 'cpu'],
  cpu: ['cpu'],
  cuda: ['cuda', 'cpu'],
  tensorrt: ['tensorrt', 'cuda', 'cpu'],
  wasm: ['cpu'],
};

/** An ONNX model of one Relu of one number: enough to make a provider start. */
const PROBE_MODEL = 'CAg6MwoMCgF4EgF5IgRSZWx1EgFwWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUICEA0=';

/**
 * The first of the wanted providers that starts on this machine. A provider's library lies beside that of the CPU, where
 * the npm package's install script or a person has put it; it needs CUDA's libraries, which only a session shows.
 */
export async function chooseProvider(ort: Ort, asked: EngineDevice): Promise<ChosenProvider> {
  const wanted = WANTED[asked];
  const refusals: string[] = [];
  for (const [index, device] of wanted.entries()) {
    if (device === 'cpu') break;
    const refusal = await whyNot(ort, device);
    if (refusal === null)
      return {
        device,
        providers: wanted.slice(index),
        reason: [`ONNX Runtime starts on ${device}`, ...refusals].join('; '),
      };
    refusals.push(refusal);
  }
  const reason = ['ONNX Runtime loads on this CPU', ...refusals].join('; ');
  const isAsked = asked !== 'auto' && asked !== 'cpu';
  const why = asked === 'wasm' ? 'ONNX Runtime does not run as WebAssembly here' : refusals.join('; ');
  return {
    device: 'cpu',
    providers: ['cpu'],
    reason,
    ...(isAsked ? { shortfall: `${asked} was asked for: ${why}` } : {}),
  };
}

async function whyNot(ort: Ort, provider: 'cuda' | 'tensorrt'): Promise<string | null> {
  const library = providerLibrary(provider);
  if (!library || !existsSync(library)) return `${provider}: its library is not installed`;
  try {
    const session = await ort.InferenceSession.create(Buffer.from(PROBE_MODEL, 'base64'), {
      executionProviders: [provider],
    });
    await session.release();
    return null;
  } catch (error) {
    return `${provider}: ${(messageOf(error).split('\n')[0] ?? '').slice(0, 200)}`;
  }
}
