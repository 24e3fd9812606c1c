import { truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EnginesReport } from '../../src/bench/compare-engines.js';
import type { MachineReport } from '../../src/cli/doctor/examine-machine.js';
import { configSchema } from '../../src/config/schema.js';
import { readManifest } from '../../src/inference/manifest.js';
import { readNvidiaGpus } from '../../src/lib/nvidia.js';
import { CopiedInstallation } from '../support/copied-installation.js';

const { detection, classification } = configSchema.parse({});
const models = [detection.model, classification.model];
const LIBRARIES = `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}`;
const NATIVE = 'node_modules/@tensorflow/tfjs-node-gpu';

const find = ({ findings }: MachineReport, name: string) => findings.find((finding) => finding.name === name);

// A provider's library that starts after all would need another way to damage it.
describe.skipIf(process.platform !== 'linux' || readNvidiaGpus().isPresent)(
  'engines whose libraries do not fit (Linux without a GPU)',
  () => {
    let installation: CopiedInstallation;
    beforeAll(() => {
      installation = new CopiedInstallation({ models });
      for (const part of ['shared', 'cuda', 'tensorrt'])
        installation.write(`${LIBRARIES}/libonnxruntime_providers_${part}.so`, 'no library');
      installation.write(
        `${NATIVE}/package.json`,
        JSON.stringify({ name: '@tensorflow/tfjs-node-gpu', version: '4.22.0', main: 'main.js' }),
      );
      installation.write(`${NATIVE}/lib/napi-v8/tfjs_binding.node`, 'no binding');
      installation.write(`${NATIVE}/main.js`, 'process.abort();');
    });
    afterAll(() => installation.close());

    it('doctor outlives them, says why each does not start, and that maskwatch runs all the same', async () => {
      const { code, stdout } = await installation.run(['doctor', '--json']);
      const report = JSON.parse(stdout) as MachineReport;
      for (const provider of ['cuda', 'tensorrt'])
        expect(find(report, `engine onnxruntime (${provider})`)).toMatchObject({
          state: 'absent',
          detail: expect.stringMatching(
            new RegExp(
              `libonnxruntime_providers_${provider}\\.so\\) and does not start: .*\\(.*(too short|invalid ELF)`,
            ),
          ),
          remedy: expect.stringContaining('NVIDIA GPU'),
        });
      expect(find(report, 'engine tfjs (native)')).toMatchObject({
        state: 'absent',
        detail: expect.stringContaining('its process ended by SIGABRT'),
        remedy: 'npx maskwatch setup tensorflow --force',
      });
      for (const name of ['engine onnxruntime (cpu)', 'engine tfjs (wasm)'])
        expect(find(report, name)).toMatchObject({ state: 'ok' });
      expect(report.ok).toBe(true);
      expect(code).toBe(0);
    });

    it('bench engines goes on with the others and gives the reasons', async () => {
      const { code, stdout } = await installation.run(['bench', 'engines', '--seconds', '0.1', '--json']);
      expect(code).toBe(0);
      const { engines, refusals, auto } = JSON.parse(stdout) as EnginesReport;
      expect(engines.map(({ name }) => name).sort()).toEqual(['onnxruntime (cpu)', 'tfjs (wasm)']);
      expect(Object.fromEntries(refusals.map(({ name, reason }) => [name, reason]))).toEqual({
        'onnxruntime (tensorrt)': 'there is no NVIDIA GPU',
        'onnxruntime (cuda)': expect.stringMatching(/too short|invalid ELF/),
        'tfjs (cpu)': expect.stringContaining('SIGABRT'),
      });
      expect(['onnxruntime (cpu)', 'tfjs (wasm)']).toContain(auto?.name);
    });
  },
);

describe('an installation without engines and with a model cut short', () => {
  let installation: CopiedInstallation;
  beforeAll(async () => {
    installation = new CopiedInstallation({ models });
    installation.remove('node_modules', 'onnxruntime-node');
    installation.remove('node_modules', '@tensorflow');
    const { forms } = await readManifest(installation.path('models', detection.model));
    truncateSync(installation.path('models', detection.model, forms.onnx.file), 1000);
    installation.remove('models', classification.model);
  });
  afterAll(() => installation.close());

  it('doctor exits with 3, and each problem has what mends it', async () => {
    const { code, stdout } = await installation.run(['doctor', '--json']);
    const report = JSON.parse(stdout) as MachineReport;
    expect(code).toBe(3);
    expect(report.ok).toBe(false);
    for (const name of ['engine onnxruntime (cpu)', 'engine tfjs (wasm)'])
      expect(find(report, name)).toMatchObject({ state: 'problem', remedy: 'npm ci' });
    for (const model of models)
      expect(find(report, `model ${model}`)).toMatchObject({
        state: 'problem',
        remedy: expect.stringContaining(`models/${model}`),
      });
    expect(find(report, 'ffmpeg')).toMatchObject({ state: 'ok' });
  });

  it('bench engines says which engine lacks what', async () => {
    const { code, stdout, stderr } = await installation.run(['bench', 'engines', '--json']);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: 'ENGINE_MISSING',
        message: expect.stringContaining('onnxruntime-node is not installed'),
        hint: expect.stringContaining('maskwatch doctor'),
      },
    });
  });
});
