import { existsSync } from 'node:fs';
import type { EngineQuestion } from '../../inference/choose-engine.js';
import { providerLibrary } from '../../inference/engine-packages.js';
import { readInstalledEngines } from '../../inference/machine-facts.js';
import type { NvidiaGpus } from '../../lib/nvidia.js';
import { defaultPackageDir, linkedBuild } from '../../setup/native-store.js';
import type { Finding } from './finding.js';
import { type TriedEngine, tryEngine } from './try-engine.js';

const REINSTALL = 'npm ci';
const SETUP = 'npx maskwatch setup tensorflow';
const SETUP_CUDA = `${SETUP} --cuda`;
const GET_PROVIDERS = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install';

/** Of the CUDA 12 libraries that both engines use (docs/gpu.md). */
const LEAST_DRIVER = [525, 60] as const;

/** What the driver tells; that there is none is no fault. */
export function gpuFinding({ isPresent, driverVersion, names }: NvidiaGpus): Finding {
  const name = 'NVIDIA GPU';
  if (!isPresent)
    return {
      name,
      state: 'absent',
      detail: 'no driver is loaded: everything runs on the CPU',
      remedy: `with a GPU, install NVIDIA's driver ${LEAST_DRIVER.join('.')} or newer (docs/gpu.md)`,
    };
  const which = names.length > 0 ? names.join(', ') : 'the driver hides its name';
  const detail = `${which}; driver ${driverVersion ?? 'unknown'}`;
  const [major = 0, minor = 0] = (driverVersion ?? '').split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_DRIVER;
  const isOld = major < leastMajor || (major === leastMajor && minor < leastMinor);
  if (driverVersion === null || !isOld) return { name, state: 'ok', detail };
  return {
    name,
    state: 'absent',
    detail: `${detail}, which is too old for CUDA 12`,
    remedy: `install NVIDIA's driver ${LEAST_DRIVER.join('.')} or newer`,
  };
}

/**
 * Every engine that there is for machines like this, each started in a process of its own, and with a GPU whether one
 * of them computes on it. An engine that does not work is a problem only when none does. Rejects with the signal's
 * reason alone.
 */
export async function engineFindings(
  question: EngineQuestion,
  gpus: NvidiaGpus,
  signal: AbortSignal,
): Promise<Finding[]> {
  const examiner = new EngineExaminer(question, gpus, signal);
  const findings = [
    await examiner.onnxRuntimeCpu(),
    await examiner.onnxRuntimeGpu('cuda'),
    await examiner.onnxRuntimeGpu('tensorrt'),
    await examiner.tensorFlow(),
    await examiner.webAssembly(),
  ];
  if (gpus.isPresent)
    findings.push(
      examiner.isGpuUsed
        ? { name: 'use of the GPU', state: 'ok', detail: 'an engine computes on it' }
        : {
            name: 'use of the GPU',
            state: 'absent',
            detail: 'no engine computes on the GPU of this machine: all runs on the CPU',
            remedy: `${SETUP_CUDA}, or ${GET_PROVIDERS} (docs/gpu.md)`,
          },
    );
  return examiner.hasEngine ? findings.map(tolerable) : findings;
}

/** With another engine that works, one that does not is a loss of speed, not a stop. */
function tolerable(finding: Finding): Finding {
  return finding.state === 'problem' ? { ...finding, state: 'absent' } : finding;
}

class EngineExaminer {
  readonly #question: EngineQuestion;
  readonly #gpus: NvidiaGpus;
  readonly #signal: AbortSignal;
  readonly #installed = readInstalledEngines();
  hasEngine = false;
  isGpuUsed = false;

  constructor(question: EngineQuestion, gpus: NvidiaGpus, signal: AbortSignal) {
    this.#question = question;
    this.#gpus = gpus;
    this.#signal = signal;
  }

  async onnxRuntimeCpu(): Promise<Finding> {
    const name = 'engine onnxruntime (cpu)';
    if (this.#installed.onnxruntime === null) return notInstalled(name, 'onnxruntime-node');
    const tried = await tryEngine(
      this.#question,
      { engine: 'onnxruntime', device: 'cpu', withModels: true },
      this.#signal,
    );
    return this.#whole(name, tried, REINSTALL);
  }

  async onnxRuntimeGpu(device: 'cuda' | 'tensorrt'): Promise<Finding> {
    const name = `engine onnxruntime (${device})`;
    const absent = (detail: string, remedy: string): Finding => ({ name, state: 'absent', detail, remedy });
    const library = providerLibrary(device);
    if (library === null) return absent('the package onnxruntime-node is not installed', REINSTALL);
    if (!existsSync(library))
      return absent(
        `its library is not installed; it has to lie at ${library}`,
        process.platform !== 'linux' || process.arch !== 'x64'
          ? 'its makers offer it to Node.js on Linux on x64 only'
          : this.#gpus.isPresent
            ? GET_PROVIDERS
            : `of use only with an NVIDIA GPU: ${GET_PROVIDERS}`,
      );
    // TensorRT compiles a whole model for minutes: that it starts has to do.
    const withModels = device === 'cuda';
    const tried = await tryEngine(
      this.#question,
      { engine: 'onnxruntime', device, withModels },
      this.#signal,
    );
    if (tried.ranOn === device) {
      this.isGpuUsed = true;
      return { name, state: 'ok', detail: tried.detail };
    }
    const remedy = this.#gpus.isPresent
      ? 'see that the loader finds the libraries of CUDA 12 and cuDNN 9 (docs/gpu.md)'
      : 'of use only with an NVIDIA GPU and its driver (docs/gpu.md)';
    return absent(`its library is there (${library}) and does not start: ${tried.failure}`, remedy);
  }

  async tensorFlow(): Promise<Finding> {
    const name = 'engine tfjs (native)';
    const { isPresent } = this.#gpus;
    const setup = isPresent ? SETUP_CUDA : SETUP;
    if (this.#installed.native === null)
      return {
        name,
        state: 'absent',
        detail: 'its binding is not built: TensorFlow.js runs as WebAssembly, several times slower',
        remedy: setup,
      };
    const device = isPresent ? 'cuda' : 'cpu';
    const tried = await tryEngine(this.#question, { engine: 'tfjs', device, withModels: true }, this.#signal);
    // It falls back to WebAssembly, which has a line of its own.
    if (tried.ranOn === null || tried.ranOn === 'wasm')
      return { name, state: 'problem', detail: tried.failure ?? tried.detail, remedy: `${setup} --force` };
    this.hasEngine = true;
    const built = linkedBuild(defaultPackageDir())?.marker.variant;
    const build = built
      ? { cuda: 'built for CUDA', cpu: 'built for CPUs' }[built]
      : 'not built by our set-up';
    if (tried.ranOn === 'tensorflow-gpu') this.isGpuUsed = true;
    const sees = tried.ranOn === 'tensorflow-gpu' ? 'it sees the GPU' : 'it sees no GPU';
    const detail = `${tried.detail}; ${build}, ${sees}`;
    if (!isPresent || tried.ranOn === 'tensorflow-gpu') return { name, state: 'ok', detail };
    return {
      name,
      state: 'absent',
      detail,
      remedy: built === 'cuda' ? 'see docs/gpu.md, TensorFlow.js on CUDA' : SETUP_CUDA,
    };
  }

  async webAssembly(): Promise<Finding> {
    const name = 'engine tfjs (wasm)';
    if (this.#installed.tfjs === null) return notInstalled(name, '@tensorflow/tfjs-core');
    const tried = await tryEngine(
      this.#question,
      { engine: 'tfjs', device: 'wasm', withModels: true },
      this.#signal,
    );
    return this.#whole(name, tried, REINSTALL);
  }

  #whole(name: string, { ranOn, failure, detail }: TriedEngine, remedy: string): Finding {
    if (ranOn === null || failure !== null)
      return { name, state: 'problem', detail: failure ?? detail, remedy };
    this.hasEngine = true;
    return { name, state: 'ok', detail };
  }
}

function notInstalled(name: string, packageName: string): Finding {
  return {
    name,
    state: 'problem',
    detail: `the package ${packageName} is not installed`,
    remedy: REINSTALL,
  };
}
