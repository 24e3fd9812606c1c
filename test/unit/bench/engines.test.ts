import { describe, expect, it } from 'vitest';
import { candidatesHere } from '../../../src/bench/compare-engines.js';
import { EngineRunner, SUBJECTS } from '../../../src/bench/engine-runner.js';
import type { EngineProbe } from '../../../src/inference/engine-probe.js';

const ALL = {
  onnxruntime: '1.30.0',
  tfjs: '4.22.0',
  native: 'binding',
  hasCudaProvider: true,
  hasTensorRtProvider: true,
};
const names = (candidates: readonly { engine: string; device: string }[]) =>
  candidates.map(({ engine, device }) => `${engine} ${device}`);

describe('what is compared', () => {
  it('is everything, TensorRT last, where there is a GPU', () => {
    const { candidates, refusals } = candidatesHere(ALL, true);
    expect(names(candidates)[0]).toBe('onnxruntime cuda');
    expect(names(candidates).at(-1)).toBe('onnxruntime tensorrt');
    expect(candidates).toHaveLength(5);
    expect(refusals).toEqual([]);
  });

  it('leaves out what is not installed, each with its reason', () => {
    const none = {
      onnxruntime: null,
      tfjs: null,
      native: null,
      hasCudaProvider: false,
      hasTensorRtProvider: false,
    };
    const { candidates, refusals } = candidatesHere(none, false);
    expect(candidates).toEqual([]);
    expect(refusals.map(({ name }) => name)).toEqual([
      'onnxruntime (cpu)',
      'onnxruntime (cuda)',
      'onnxruntime (tensorrt)',
      'tfjs (tensorflow)',
      'tfjs (wasm)',
    ]);
    for (const { reason } of refusals) expect(reason).toMatch(/not installed|not built/);
  });
});

describe('figures of an engine', () => {
  /** Answers with the given times of one run, ms, by batch size (0 = the detector), a round after the other. */
  async function measured(rounds: readonly Readonly<Record<number, number>>[]): Promise<EngineRunner> {
    let round = rounds[0]!;
    const probe = {
      info: { engine: 'tfjs', device: 'wasm', version: '4.22.0', reason: '' },
      detectMs: async () => round[0]!,
      classifyMs: async (size: number) => round[size]!,
    } as unknown as EngineProbe;
    const runner = new EngineRunner({ engine: 'tfjs', device: 'wasm' }, probe);
    for (round of rounds) for (const size of SUBJECTS) await runner.measure(size, 1);
    return runner;
  }
  const quiet = { 0: 10, 1: 4, 4: 12, 8: 20, 16: 32, 32: 96, 64: 256 };

  it('are the middle of the rounds, so that one busy round changes nothing', async () => {
    const busy = Object.fromEntries(Object.entries(quiet).map(([size, ms]) => [size, ms * 50]));
    const runner = await measured([quiet, busy, quiet]);
    const row = runner.row({ msPerCrop: 1, detectMs: 5 });
    expect(row).toMatchObject({
      name: 'tfjs (wasm)',
      detectMs: 10,
      best: { batchSize: 16, cropsPerSecond: 500 },
      scatter: 50,
      slowerThanBest: { crop: 2, picture: 2 },
    });
    expect(row.cropsPerSecond).toEqual({ 1: 250, 4: 333.3, 8: 400, 16: 500, 32: 333.3, 64: 250 });
  });

  it('are those of the batch sizes that auto tries, where auto is asked about', async () => {
    const runner = await measured([quiet]);
    expect(runner.figures()).toMatchObject({ batchSize: 8, msPerCrop: 2.5, ranOn: 'wasm' });
  });
});
