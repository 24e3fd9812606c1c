import { AppError } from '../lib/errors.js';
import { lastLines, runTool } from './run-tool.js';

export interface ProvenBinding {
  /** Version that the library gives of itself. */
  readonly tensorflow: string;
  readonly isGpu: boolean;
}

/** Loads the package, lets TensorFlow convolve ones (4×4 by 2×2: nine fours) and tells what it found. */
const SCRIPT = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value == null;
const tf = require(process.argv[1]);
tf.ready().then(() => {
  const sum = tf.tidy(() => tf.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([2, 2, 1, 1]), 1, 'valid').sum().dataSync()[0]);
  if (tf.getBackend() !== 'tensorflow' || sum !== 36) throw new Error('a convolution gave ' + sum + ' on ' + tf.getBackend());
  const backend = tf.backend();
  console.log(JSON.stringify({ tensorflow: backend.binding.TF_Version, isGpu: backend.isUsingGpuDevice === true }));
}).catch((error) => { console.error(error.message); process.exitCode = 1; });
`;

const TIMEOUT_MS = 120_000;

/**
 * Loads the linked package in a process of its own, which a library that does not fit the machine may take down.
 * Throws `AppError` SETUP_LOAD_FAILED.
 */
export async function proveBinding(packageDir: string, signal?: AbortSignal): Promise<ProvenBinding> {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true' };
  const args = ['--no-warnings', '-e', SCRIPT, packageDir];
  const run = await runTool(process.execPath, args, { signal, env, timeoutMs: TIMEOUT_MS });
  const line = run.stdout.split('\n').find((text) => text.startsWith('{"tensorflow"'));
  if (run.exitCode === 0 && line !== undefined) return JSON.parse(line) as ProvenBinding;
  const why =
    run.exitCode === null
      ? `its process was ended by ${run.signalName}`
      : lastLines(run.stderr.replaceAll(/^.*(oneDNN|absl::InitializeLog).*$/gm, ''));
  throw new AppError('SETUP_LOAD_FAILED', `the binding was built but does not load: ${why}`, {
    path: packageDir,
    hint: 'it is taken out of use again; ONNX Runtime and WebAssembly go on (maskwatch doctor)',
  });
}
