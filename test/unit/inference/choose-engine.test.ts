import { describe, expect, it } from 'vitest';
import type { EngineFigures } from '../../../src/inference/choice-cache.js';
import { costMs, listCandidates, rank } from '../../../src/inference/choose-engine.js';
import type { EngineDevice } from '../../../src/inference/engine.js';
import type { InstalledEngines } from '../../../src/inference/machine-facts.js';

const NONE: InstalledEngines = {
  onnxruntime: null,
  tfjs: null,
  native: null,
  hasCudaProvider: false,
  hasTensorRtProvider: false,
};
/** As npm installs them. */
const PLAIN: InstalledEngines = { ...NONE, onnxruntime: '1.30.0', tfjs: '4.22.0' };
const ALL: InstalledEngines = {
  ...PLAIN,
  native: '@tensorflow/tfjs-node-gpu 1 1',
  hasCudaProvider: true,
  hasTensorRtProvider: true,
};

const list = (installed: InstalledEngines, device: EngineDevice, hasGpu: boolean) =>
  listCandidates(installed, device, hasGpu).map((one) => `${one.engine} ${one.device}`);

describe('listCandidates', () => {
  it.each<[string, EngineDevice, boolean, InstalledEngines, string[]]>([
    ['nothing', 'auto', true, NONE, []],
    ['npm packages', 'auto', false, PLAIN, ['onnxruntime cpu', 'tfjs wasm']],
    ['npm packages', 'cuda', true, PLAIN, ['onnxruntime cpu', 'tfjs wasm']],
    ['npm packages', 'wasm', false, PLAIN, ['tfjs wasm']],
    ['only ONNX Runtime', 'auto', false, { ...PLAIN, tfjs: null }, ['onnxruntime cpu']],
    ['only ONNX Runtime', 'wasm', false, { ...PLAIN, tfjs: null }, []],
    ['only TensorFlow.js', 'auto', false, { ...PLAIN, onnxruntime: null }, ['tfjs wasm']],
    ['a binding without the packages', 'cpu', true, { ...ALL, tfjs: null }, ['onnxruntime cpu']],
    ['all', 'cpu', true, ALL, ['onnxruntime cpu', 'tfjs cpu', 'tfjs wasm']],
    ['all', 'wasm', true, ALL, ['tfjs wasm']],
    ['all', 'cuda', true, ALL, ['onnxruntime cuda', 'onnxruntime cpu', 'tfjs cuda', 'tfjs wasm']],
    ['all', 'auto', false, ALL, ['onnxruntime cuda', 'onnxruntime cpu', 'tfjs cpu', 'tfjs wasm']],
  ])('%s on %s, a GPU there: %s', (_name, device, hasGpu, installed, expected) => {
    expect(list(installed, device, hasGpu)).toEqual(expected);
  });

  it('has TensorRT only where it is asked for, before all others', () => {
    expect(list(ALL, 'auto', true)).toEqual([
      'onnxruntime cuda',
      'onnxruntime cpu',
      'tfjs cuda',
      'tfjs wasm',
    ]);
    expect(list(ALL, 'tensorrt', true)).toEqual(['onnxruntime tensorrt', ...list(ALL, 'auto', true)]);
    expect(list({ ...ALL, hasTensorRtProvider: false }, 'tensorrt', true)).toEqual(list(ALL, 'auto', true));
  });
});

/** Figures of an engine with that cost. */
function figures(version: string, cost: number): EngineFigures {
  const common = { engine: 'tfjs', device: 'auto', ranOn: 'wasm', batchSize: 4 } as const;
  return { ...common, version, detectMs: cost / 2, msPerCrop: cost / 4 };
}
const order = (...all: EngineFigures[]) => rank(all).map(({ version }) => version);

it('costMs is a picture with two crops', () => {
  expect(costMs({ ...figures('a', 1), detectMs: 10, msPerCrop: 3 })).toBe(16);
});

describe('rank', () => {
  it('leaves an earlier one for a later one only when that is faster by more than 10 %', () => {
    expect(order(figures('first', 100), figures('later', 89))).toEqual(['later', 'first']);
    expect(order(figures('first', 100), figures('later', 90))).toEqual(['first', 'later']);
  });

  it('compares with the one that is taken so far, not with the first', () => {
    expect(order(figures('a', 100), figures('b', 80), figures('c', 75))).toEqual(['b', 'c', 'a']);
    expect(order(figures('a', 100), figures('b', 95), figures('c', 88))).toEqual(['c', 'b', 'a']);
  });

  it('puts the others by their cost, whatever their place was', () => {
    const given = [figures('a', 10), figures('b', 50), figures('c', 9.5), figures('d', 30)];
    expect(order(...given)).toEqual(['a', 'c', 'd', 'b']);
    expect(given.map(({ version }) => version)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes the only one', () => {
    expect(order(figures('a', 10))).toEqual(['a']);
  });
});
