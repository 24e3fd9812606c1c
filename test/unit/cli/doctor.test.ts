import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isSupportedNode, modelFindings, nodeFinding } from '../../../src/cli/doctor/component-findings.js';
import { gpuFinding } from '../../../src/cli/doctor/engine-findings.js';
import { withCause } from '../../../src/inference/engine-probe.js';

describe('Node.js', () => {
  it.each([
    ['18.20.4', false],
    ['20.18.9', false],
    ['20.19.0', true],
    ['21.7.3', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['23.11.1', false],
    ['24.0.0', true],
    ['25.1.0', true],
  ])('%s is supported: %s', (version, isSupported) => {
    expect(isSupportedNode(version)).toBe(isSupported);
    expect(nodeFinding(version).state).toBe(isSupported ? 'ok' : 'problem');
  });

  it('is what package.json asks for', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8');
    // Whoever changes it changes isSupportedNode and bin/maskwatch.js too.
    expect(JSON.parse(text).engines.node).toBe('^20.19.0 || ^22.12.0 || >=24.0.0');
  });
});

describe('the GPU', () => {
  const gpus = { isPresent: true, driverVersion: '550.54.15', names: ['NVIDIA L4', 'NVIDIA T4'] };

  it('is named with its driver', () => {
    expect(gpuFinding(gpus)).toEqual({
      name: 'NVIDIA GPU',
      state: 'ok',
      detail: 'NVIDIA L4, NVIDIA T4; driver 550.54.15',
    });
  });

  it.each([
    ['525.60.13', 'ok'],
    ['525.53', 'absent'],
    ['470.256.02', 'absent'],
  ])('with driver %s is %s', (driverVersion, state) => {
    expect(gpuFinding({ ...gpus, driverVersion }).state).toBe(state);
  });

  it('may hide its name and driver', () => {
    expect(gpuFinding({ isPresent: true, driverVersion: null, names: [] })).toMatchObject({
      state: 'ok',
      detail: 'the driver hides its name; driver unknown',
    });
  });

  it('need not be there', () => {
    expect(gpuFinding({ isPresent: false, driverVersion: null, names: [] }).state).toBe('absent');
  });
});

describe('why a library does not load', () => {
  it('is taken from what ONNX Runtime writes beside its error', () => {
    const said =
      '2026 [E:onnxruntime:] [ONNXRuntimeError] : 1 : FAIL : Failed to load library /a b/libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object file: No such file or directory\n\u001b[m\n';
    expect(withCause('cuda: Failed to load shared library', said)).toBe(
      'cuda: Failed to load shared library (libcublasLt.so.12: cannot open shared object file: No such file or directory)',
    );
  });

  it('is left out where nothing was said', () => {
    expect(withCause('cuda: no CUDA-capable device', 'something else')).toBe('cuda: no CUDA-capable device');
  });
});

it('a folder of models that cannot be read is a problem, not a crash', async () => {
  const [finding] = await modelFindings(['yunet-n'], '/no/such/folder');
  expect(finding).toMatchObject({ name: 'models', state: 'problem' });
});
