import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { countRemembered } from '../../src/inference/choice-cache.js';
import {
  AUTO_BATCH_SIZES,
  chooseEngine,
  type EngineChoice,
  type EngineQuestion,
  listCandidates,
  rememberedChoice,
} from '../../src/inference/choose-engine.js';
import { EngineProbe } from '../../src/inference/engine-probe.js';
import { readInstalledEngines } from '../../src/inference/machine-facts.js';

const { detection, classification } = configSchema.parse({});
const modelDir = (name: string) => fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
const question: EngineQuestion = {
  detectorModelDir: modelDir(detection.model),
  classifierModelDir: modelDir(classification.model),
  detectorWidth: 320,
  detectorHeight: 192,
  threads: 1,
};
/** Of one engine only, which is quicker. */
const onWasm: EngineQuestion = { ...question, device: 'wasm' };

let folder: string;
let cacheFile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskwatch-choose-'));
  cacheFile = join(folder, 'engines.json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Linux tells the children of this process here. */
const CHILDREN = `/proc/self/task/${process.pid}/children`;
const children = () =>
  existsSync(CHILDREN) ? readFileSync(CHILDREN, 'utf8').split(' ').filter(Boolean) : [];

describe('an engine that is measured', () => {
  let choice: EngineChoice;
  const onMeasure = vi.fn();
  beforeAll(async () => {
    expect(await rememberedChoice(question, cacheFile)).toBeNull();
    choice = (await chooseEngine(question, { cacheFile, onMeasure }))!;
  });

  it('is one that is listed, and no other of them was faster by a tenth', () => {
    expect(onMeasure).toHaveBeenCalledOnce();
    const { engine, device, measurement } = choice;
    const candidates = listCandidates(readInstalledEngines(), 'auto');
    expect(candidates).toContainEqual({ engine, device });
    const best = measurement.figures[0]!;
    expect(best).toMatchObject({ engine, device });
    for (const { detectMs, msPerCrop, batchSize } of measurement.figures) {
      expect(AUTO_BATCH_SIZES).toContain(batchSize);
      expect(detectMs + 2 * msPerCrop).toBeGreaterThanOrEqual(0.9 * (best.detectMs + 2 * best.msPerCrop));
    }
    expect(children()).toEqual([]);
  });

  it('has a reason that names every candidate, on one line', () => {
    const { reason, measurement } = choice;
    expect(reason).not.toContain('\n');
    expect(reason).toContain('measured now');
    expect(reason).not.toContain('not remembered');
    const told = [...measurement.figures, ...measurement.refusals].map(
      ({ engine, device }) => `${engine} ${device}`,
    );
    const candidates = listCandidates(readInstalledEngines(), 'auto');
    expect(told.sort()).toEqual(candidates.map(({ engine, device }) => `${engine} ${device}`).sort());
    for (const { engine, ranOn } of measurement.figures)
      expect(reason).toMatch(new RegExp(`${engine} \\(${ranOn}\\) \\d+\\.\\d ms`));
    for (const { engine, device, reason: why } of measurement.refusals)
      expect(reason).toContain(`${engine} (${device}) is out: ${why}`);
  });

  it('is remembered: a second call measures nothing and gives the same', async () => {
    const again = vi.fn();
    const second = await chooseEngine(question, { cacheFile, onMeasure: again });
    expect(again).not.toHaveBeenCalled();
    expect(second).toEqual({ ...choice, reason: second!.reason });
    expect(second!.reason).toBe(
      choice.reason.replace(
        'measured now',
        `measured ${choice.measurement.measuredAt.slice(0, 10)} and remembered`,
      ),
    );
    expect(await rememberedChoice(question, cacheFile)).toEqual(second);
  });

  it('is measured again when the question is another, and both are remembered', async () => {
    const again = vi.fn();
    const options = { cacheFile, onMeasure: again };
    expect(await chooseEngine(onWasm, options)).toMatchObject({
      engine: 'tfjs',
      device: 'wasm',
      isGpu: false,
    });
    expect(again).toHaveBeenCalledTimes(1);
    await chooseEngine({ ...onWasm, detectorHeight: 160 }, options);
    expect(again).toHaveBeenCalledTimes(2);
    expect(await rememberedChoice({ ...onWasm, threads: 2 }, cacheFile)).toBeNull();
    const swapped = { ...onWasm, detectorWidth: 192, detectorHeight: 320 };
    expect(await rememberedChoice(swapped, cacheFile)).toBeNull();
    expect(await rememberedChoice(question, cacheFile)).toMatchObject({ measurement: choice.measurement });
    expect(await countRemembered(cacheFile)).toBe(3);
  });
});

it('says so when it cannot be remembered', async () => {
  const noFolder = join(folder, 'a-file');
  writeFileSync(noFolder, '');
  const choice = await chooseEngine(onWasm, { cacheFile: join(noFolder, 'engines.json') });
  expect(choice).toMatchObject({
    engine: 'tfjs',
    reason: expect.stringMatching(/; this is not remembered: E/),
  });
});

it('an engine that cannot load a model is out, with its reason', async () => {
  const damaged = join(folder, 'damaged');
  cpSync(question.classifierModelDir, damaged, { recursive: true });
  appendFileSync(join(damaged, 'model.onnx'), 'more');
  const file = join(folder, 'damaged.json');
  const choice = (await chooseEngine(
    { ...question, device: 'cpu', classifierModelDir: damaged },
    { cacheFile: file },
  ))!;
  expect(choice.engine).toBe('tfjs');
  expect(choice.measurement.refusals).toMatchObject([
    { engine: 'onnxruntime', device: 'cpu', reason: expect.stringContaining('model.onnx') },
  ]);
  expect(choice.reason).toMatch(/; onnxruntime \(cpu\) is out: .*model\.onnx/);
});

it('nothing is measured for a folder that is no model', async () => {
  const onMeasure = vi.fn();
  const nowhere = { ...onWasm, classifierModelDir: join(folder, 'nowhere') };
  await expect(chooseEngine(nowhere, { cacheFile, onMeasure })).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
  });
  expect(onMeasure).not.toHaveBeenCalled();
});

describe('an abort', () => {
  const file = () => join(folder, 'aborted.json');
  // One engine only: nothing after it would notice the signal.
  const chooseUntil = (signal: AbortSignal) => chooseEngine(onWasm, { cacheFile: file(), signal });
  afterEach(async () => {
    vi.restoreAllMocks();
    expect(children()).toEqual([]);
    expect(await countRemembered(file())).toBeNull();
  });

  it.skipIf(!existsSync(CHILDREN))(
    'while an engine is loaded ends it, and nothing is remembered',
    async () => {
      const abort = new AbortController();
      const outcome = expect(chooseUntil(abort.signal)).rejects.toThrow('enough');
      await vi.waitFor(() => expect(children()).toHaveLength(1), 10_000);
      abort.abort(new Error('enough'));
      await outcome;
    },
  );

  it('while it is timed does so too', async () => {
    const abort = new AbortController();
    const { detectMs } = EngineProbe.prototype;
    vi.spyOn(EngineProbe.prototype, 'detectMs').mockImplementation(function (this: EngineProbe, budgetMs) {
      const answer = detectMs.call(this, budgetMs);
      abort.abort(new Error('enough'));
      return answer;
    });
    await expect(chooseUntil(abort.signal)).rejects.toThrow('enough');
  });

  it('before the first starts none', async () => {
    const abort = new AbortController();
    const chosen = chooseEngine(onWasm, {
      cacheFile: file(),
      signal: abort.signal,
      onMeasure: () => abort.abort(new Error('enough')),
    });
    await expect(chosen).rejects.toThrow('enough');
  });
});
