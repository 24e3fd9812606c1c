import { describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../../src/inference/engine.js';
import { type EngineName, type EngineOpeners, selectEngine } from '../../../src/inference/select-engine.js';

function engine(name: string): InferenceEngine {
  return {
    info: { engine: name, device: 'cpu', version: '1', reason: `${name} loads` },
    load: () => Promise.reject(new Error('not used')),
    close: async () => {},
  };
}

/** Engines of which some are missing; tells which were opened. */
function machine(has: Partial<Record<EngineName, boolean>>) {
  const opened: string[] = [];
  const opener = (name: EngineName) => async () => {
    opened.push(name);
    if (!has[name]) throw new Error(`Cannot find package '${name}'\nRequire stack: …`);
    return engine(name);
  };
  const openers: EngineOpeners = { onnxruntime: opener('onnxruntime'), tfjs: opener('tfjs') };
  return { openers, opened };
}

describe('selectEngine', () => {
  it('auto takes ONNX Runtime where it loads, and loads nothing else', async () => {
    const { openers, opened } = machine({ onnxruntime: true, tfjs: true });
    const { info } = await selectEngine('auto', { threads: 1 }, openers);
    expect(info.engine).toBe('onnxruntime');
    expect(opened).toEqual(['onnxruntime']);
  });

  it('auto falls back to TensorFlow.js and says why in one line', async () => {
    const { openers } = machine({ tfjs: true });
    const { info } = await selectEngine('auto', { threads: 1 }, openers);
    expect(info.engine).toBe('tfjs');
    expect(info.reason).toContain("onnxruntime does not load (Cannot find package 'onnxruntime')");
    expect(info.reason).toContain('tfjs loads');
    expect(info.reason).not.toContain('\n');
  });

  it('takes the named engine even where another would be faster', async () => {
    const { openers, opened } = machine({ onnxruntime: true, tfjs: true });
    const { info } = await selectEngine('tfjs', { threads: 1 }, openers);
    expect(info.reason).toBe('tfjs was asked for: tfjs loads');
    expect(opened).toEqual(['tfjs']);
  });

  it('does not replace a named engine that is missing', async () => {
    const { openers, opened } = machine({ tfjs: true });
    await expect(selectEngine('onnxruntime', { threads: 1 }, openers)).rejects.toMatchObject({
      code: 'ENGINE_MISSING',
      exitCode: 3,
      hint: expect.stringContaining('npm ci'),
    });
    expect(opened).toEqual(['onnxruntime']);
  });

  it('names every reason when none loads', async () => {
    await expect(selectEngine('auto', { threads: 1 }, machine({}).openers)).rejects.toMatchObject({
      code: 'ENGINE_MISSING',
      exitCode: 3,
      message: expect.stringMatching(/onnxruntime.*tfjs/),
    });
  });
});
