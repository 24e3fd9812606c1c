import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { readNvidiaGpus } from '../lib/nvidia.js';
import { NATIVE_PACKAGES, packageFolder, providerLibrary } from './engine-packages.js';
import type { ModelManifest } from './manifest.js';

/** Versions of what is installed; null where a package is missing. Nothing is loaded for it. */
export interface InstalledEngines {
  readonly onnxruntime: string | null;
  readonly tfjs: string | null;
  /** Of TensorFlow.js native: package, size and time of the binding; null without one. */
  readonly native: string | null;
  readonly hasCudaProvider: boolean;
  readonly hasTensorRtProvider: boolean;
}

export function readInstalledEngines(): InstalledEngines {
  const isThere = (provider: 'cuda' | 'tensorrt') => existsSync(providerLibrary(provider) ?? '');
  return {
    onnxruntime: packageVersion('onnxruntime-node'),
    tfjs: packageVersion('@tensorflow/tfjs-core'),
    native: nativeBinding(),
    hasCudaProvider: isThere('cuda'),
    hasTensorRtProvider: isThere('tensorrt'),
  };
}

/** What a measured choice depends on, as a short key: another machine, engine, model or size is measured again. */
export function choiceKey(question: {
  readonly manifests: readonly ModelManifest[];
  readonly detectorSize: string;
  readonly threads: number;
  readonly device: string;
  readonly installed: InstalledEngines;
}): string {
  const { names, driverVersion } = readNvidiaGpus();
  const facts = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    gpus: names,
    driverVersion,
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node.split('.')[0],
    installed: question.installed,
    models: question.manifests.map(({ forms }) => [
      forms.onnx.sha256,
      ...forms.tfjs.files.map(({ sha256 }) => sha256),
    ]),
    detectorSize: question.detectorSize,
    threads: question.threads,
    device: question.device,
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

function nativeBinding(): string | null {
  for (const name of NATIVE_PACKAGES) {
    const folder = packageFolder(name);
    if (!folder) continue;
    const binding = statSync(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'), { throwIfNoEntry: false });
    if (binding) return `${name} ${binding.size} ${Math.trunc(binding.mtimeMs)}`;
  }
  return null;
}

function packageVersion(name: string): string | null {
  const folder = packageFolder(name);
  if (!folder) return null;
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
