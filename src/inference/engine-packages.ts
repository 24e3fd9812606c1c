import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Packages of native TensorFlow.js, the better first. */
export const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** Folder of an installed package; null where it is missing. Nothing is loaded for it. */
export function packageFolder(name: string): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}

/** Where the library of ONNX Runtime's provider has to lie; null when the package itself is missing. */
export function providerLibrary(provider: 'cuda' | 'tensorrt'): string | null {
  const folder = packageFolder('onnxruntime-node');
  if (folder === null) return null;
  const isWindows = process.platform === 'win32';
  const file = `${isWindows ? '' : 'lib'}onnxruntime_providers_${provider}.${isWindows ? 'dll' : 'so'}`;
  return join(folder, 'bin', 'napi-v6', process.platform, process.arch, file);
}
