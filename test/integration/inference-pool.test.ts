import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { extractCrop } from '../../src/crops/extract.js';
import { flipHorizontally } from '../../src/crops/mirror.js';
import { letterbox } from '../../src/detection/letterbox.js';
import { decodeYunet } from '../../src/detection/yunet-decode.js';
import { type Box, iou } from '../../src/domain/box.js';
import {
  type CloseUpWeights,
  faceProbability,
  faceProbabilityWithCloseUp,
} from '../../src/inference/face-probability.js';
import {
  InferencePool,
  type InferencePoolOptions,
  type PoolLog,
} from '../../src/inference/inference-pool.js';
import type { CropRequest, WorkerOptions } from '../../workers/protocol.js';
import { runPlainly } from '../support/plain-network.js';
import {
  makeTinyModels,
  noisePicture,
  TINY_CROP_PX,
  TINY_MARGIN,
  type TinyModels,
  tinyClassifier,
  tinyDetector,
} from '../support/tiny-models.js';

const DETECTOR = { width: 96, height: 64 };
const LABELS = ['without_mask', 'mask_worn_incorrectly', 'with_mask'] as const;

let models: TinyModels;
let pool: InferencePool | undefined;

beforeAll(async () => {
  models = await makeTinyModels();
});
afterEach(async () => {
  await pool?.close();
  pool = undefined;
});
afterAll(() => models?.remove());

/** A log that lets a test wait for a message. */
class ListeningLog implements PoolLog {
  readonly messages: string[] = [];
  readonly #listeners = new Set<() => void>();
  info = (fields: object, message: string) => this.#add(fields, message);
  warn = (fields: object, message: string) => this.#add(fields, message);
  error = (fields: object, message: string) => this.#add(fields, message);

  async until(pattern: RegExp, count = 1): Promise<void> {
    while (this.messages.filter((message) => pattern.test(message)).length < count)
      await new Promise<void>((resolve) => {
        this.#listeners.add(resolve);
      });
  }

  #add(fields: object, message: string): void {
    this.messages.push(`${message} ${JSON.stringify(fields)}`);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

async function openPool(
  options: Partial<InferencePoolOptions> = {},
  workerOptions: Partial<WorkerOptions> = {},
): Promise<InferencePool> {
  pool = await InferencePool.open({
    workers: 1,
    maxQueue: 16,
    measureBatchSizes: [1, 2],
    faultInjection: true,
    ...options,
    workerOptions: {
      engine: 'onnxruntime',
      detectorModelDir: models.detectorDir,
      classifierModelDir: models.classifierDir,
      detectorWidth: DETECTOR.width,
      detectorHeight: DETECTOR.height,
      threadsPerWorker: 1,
      ...workerOptions,
    },
  });
  return pool;
}

/** What the tiny detector finds in pixels of its input, best first. */
function plainFaces(input: Uint8Array, inputWidth: number, inputHeight: number, scoreThreshold: number) {
  const outputs = runPlainly(tinyDetector(), input, inputHeight, inputWidth);
  const floats = (name: string) => Float32Array.from(outputs[name]!);
  const levels = [8, 16, 32].map((stride) => ({
    stride,
    cls: floats(`cls_${stride}`),
    obj: floats(`obj_${stride}`),
    bbox: floats(`bbox_${stride}`),
    kps: floats(`kps_${stride}`),
  }));
  return decodeYunet(levels, { inputWidth, inputHeight, scoreThreshold });
}

const READY = /a new inference worker is ready/;
const NOT_STARTED = /did not start/;
const picture = noisePicture(96, 64, 3, [96, 54]);
const box: Box = { x: 20, y: 10, width: 24, height: 30 };

/** What the tiny classifier says of a crop, cut and computed without engine or pool. */
function judgePlainly(
  { pixels, box: at }: Pick<CropRequest, 'pixels' | 'box'>,
  look: { marginRatio?: number; rollDegrees?: number; isMirrored?: boolean } = {},
) {
  const { isMirrored = false, ...geometry } = look;
  const cut = new Uint8Array(TINY_CROP_PX * TINY_CROP_PX * 3);
  const source = { ...pixels, data: new Uint8Array(pixels.buffer) };
  extractCrop(source, at, { sizePx: TINY_CROP_PX, marginRatio: TINY_MARGIN, ...geometry }, cut);
  if (isMirrored) flipHorizontally(cut, TINY_CROP_PX, TINY_CROP_PX);
  return runPlainly(tinyClassifier(), cut, TINY_CROP_PX, TINY_CROP_PX);
}

describe.each(['onnxruntime', 'tfjs'] as const)('InferencePool on %s', (engine) => {
  it('tells engine and measured times', async () => {
    const { info, classifyMsByBatch, detectMs, utilization, queueSize } = await openPool(
      { workers: 2 },
      { engine },
    );
    expect(info.engine).toBe(engine);
    expect(Object.keys(classifyMsByBatch)).toEqual(['1', '2']);
    for (const ms of [...Object.values(classifyMsByBatch), detectMs]) expect(ms).toBeGreaterThan(0);
    expect(utilization).toBeGreaterThanOrEqual(0);
    expect(queueSize).toBe(0);
  });

  it('finds what the plain computation finds, in pixels of the picture', async () => {
    const large = noisePicture(200, 120, 9);
    const result = await (await openPool({}, { engine })).detect(large, 0.6);
    if (!result.ok) throw new Error(result.error.message);

    const input = new Uint8Array(DETECTOR.width * DETECTOR.height * 3);
    const source = { data: new Uint8Array(large.buffer), width: 200, height: 120 };
    const { scale } = letterbox(source, input, DETECTOR.width, DETECTOR.height);
    const expected = plainFaces(input, DETECTOR.width, DETECTOR.height, 0.6);

    expect(expected.length).toBeGreaterThan(0);
    expect(result.faces).toHaveLength(expected.length);
    for (const [index, face] of expected.entries()) {
      const found = result.faces[index]!;
      expect(found.score).toBeCloseTo(face.score, 3);
      for (const key of ['x', 'y', 'width', 'height'] as const)
        expect(Math.abs(found.box[key] - face.box[key] / scale)).toBeLessThan(0.1);
      for (const [i, point] of face.landmarks.entries())
        expect(Math.abs(found.landmarks[i]!.x - point.x / scale)).toBeLessThan(0.1);
      expect(found.sharpness).toBeGreaterThan(0);
    }
  });

  it('judges crops as the plain computation does, label by label and in their order', async () => {
    const other = noisePicture(64, 64, 5);
    const crops = [
      { pixels: picture, box },
      { pixels: other, box: { x: -10, y: 5, width: 40, height: 40 } },
      { pixels: picture, box: { x: 60, y: 30, width: 50, height: 12 } },
    ];
    const result = await (await openPool({}, { engine })).classify(crops);
    if (!result.ok) throw new Error(result.error.message);
    expect(result.scores).toHaveLength(3);
    const seen = new Set<string>();
    for (const [index, crop] of crops.entries()) {
      const outputs = judgePlainly(crop);
      const plain = outputs.scores!;
      expect(Math.abs(result.faceScores[index]! - outputs.face![0]!)).toBeLessThan(1e-3);
      for (const [place, label] of LABELS.entries())
        expect(Math.abs(result.scores[index]![label] - plain[place]!)).toBeLessThan(1e-3);
      seen.add(plain.map((score) => Math.round(score * 100)).join());
    }
    // Otherwise the order would prove nothing.
    expect(seen.size).toBe(3);
  });

  it('looks again at crops in doubt, and only at those: mirrored, wider, wider and mirrored; the mean counts', async () => {
    const other = noisePicture(64, 64, 5);
    const crops = [
      { pixels: picture, box },
      { pixels: other, box: { x: 5, y: 5, width: 40, height: 40 } },
      { pixels: picture, box: { x: 40, y: 12, width: 30, height: 22 } },
    ];
    const first = crops.map((crop) => judgePlainly(crop));
    const highest = first.map(({ scores }) => Math.max(...scores!)).sort((a, b) => a - b);
    expect(highest[1]! - highest[0]!).toBeGreaterThan(0.01);
    // Between the two lowest: one crop is in doubt.
    const below = (highest[0]! + highest[1]!) / 2;
    const marginRatio = 0.9;
    const classifierModelDir = await models.classifierWith(`doubting-${engine}`, {
      crop: { secondLook: { below, marginRatio } },
    });

    const result = await (await openPool({}, { engine, classifierModelDir })).classify(crops);
    if (!result.ok) throw new Error(result.error.message);
    expect(result.secondLooks).toBe(1);
    for (const [index, crop] of crops.entries()) {
      const looks = [first[index]!];
      if (Math.max(...first[index]!.scores!) < below)
        looks.push(
          judgePlainly(crop, { isMirrored: true }),
          judgePlainly(crop, { marginRatio }),
          judgePlainly(crop, { marginRatio, isMirrored: true }),
        );
      const mean = (values: readonly number[]) =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      const face = mean(looks.map((look) => look.face![0]!));
      expect(Math.abs(result.faceScores[index]! - face)).toBeLessThan(1e-3);
      for (const [place, label] of LABELS.entries()) {
        const score = mean(looks.map(({ scores }) => scores![place]!));
        expect(Math.abs(result.scores[index]![label] - score)).toBeLessThan(1e-3);
      }
      // Otherwise the further looks would prove nothing.
      if (looks.length > 1)
        expect(Math.abs(looks[0]!.scores![0]! - looks[2]!.scores![0]!)).toBeGreaterThan(2e-3);
    }
  });

  it('turns heads that lean upright, where the manifest says from which lean on', async () => {
    const leans = [undefined, 5, 30, -70] as const;
    const crops = leans.map((rollDegrees) => ({
      ...{ pixels: picture, box },
      ...(rollDegrees === undefined ? {} : { rollDegrees }),
    }));
    const plainly = (rollDegrees: number) => judgePlainly({ pixels: picture, box }, { rollDegrees }).scores!;
    const taken = async (uprightFromDegrees?: number) => {
      const classifierModelDir = await models.classifierWith(`upright-${engine}`, {
        crop: { uprightFromDegrees },
      });
      const opened = await openPool({}, { engine, classifierModelDir });
      const result = await opened.classify(crops);
      await opened.close();
      if (!result.ok) throw new Error(result.error.message);
      return result.scores;
    };
    for (const [scores, expected] of [
      [await taken(), [0, 0, 0, 0]],
      [await taken(10), [0, 0, 30, -70]],
    ] as const)
      for (const [index, rollDegrees] of expected.entries())
        for (const [place, label] of LABELS.entries())
          expect(Math.abs(scores[index]![label] - plainly(rollDegrees)[place]!)).toBeLessThan(1e-3);
    // Otherwise turning would prove nothing.
    expect(Math.abs(plainly(30)[0]! - plainly(0)[0]!)).toBeGreaterThan(3e-3);
  });

  it('counts the score of the detector that the manifest names, and of no other', async () => {
    const crops = [0.9, 0.3].map((detectionScore) => ({ pixels: picture, box, detectionScore }));
    const faceScores = async (changes: object) => {
      const classifierModelDir = await models.classifierWith(`weighing-${engine}`, changes);
      const opened = await openPool({}, { engine, classifierModelDir });
      const [scored, bare] = [
        await opened.classify(crops),
        await opened.classify([{ pixels: picture, box }]),
      ];
      await opened.close();
      if (!scored.ok || !bare.ok) throw new Error('failed');
      return [...scored.faceScores, ...bare.faceScores];
    };
    const weights = { detection: 1.2, crop: 0.8, bias: -0.4 };
    const [, , plain] = await faceScores({});
    const named = await faceScores({ faceWeights: { detector: 'tiny-detector', ...weights } });
    for (const [index, { detectionScore }] of crops.entries())
      expect(named[index]).toBeCloseTo(
        faceProbability({ detection: detectionScore, crop: plain! }, weights),
        6,
      );
    expect(named[2]).toBe(plain);
    const other = await faceScores({ faceWeights: { detector: 'another', ...weights } });
    expect(other).toEqual([plain, plain, plain]);
  });

  it('lets what is around a box count where it is open what it shows, and only there', async () => {
    const marginRatio = 1.5;
    const first = { detection: 1, crop: 0, bias: 0 };
    const again = { detection: 0, crop: 0.3, closeUp: 0, context: 2, bias: 0.1 };
    const open = async (crop: object, { context, ...rest }: Partial<typeof again> = again) => {
      const closeUp = {
        ...{ from: 0.1, to: 0.99, sizePx: 64, marginRatio: 0.5 },
        ...(context === undefined ? rest : { ...rest, context }),
      };
      const faceWeights = { detector: 'tiny-detector', ...first, closeUp };
      const classifierModelDir = await models.classifierWith(`context-${engine}`, { crop, faceWeights });
      return openPool({}, { engine, classifierModelDir });
    };
    const other = { x: 60, y: 20, width: 24, height: 26 };
    const crops = [
      { pixels: picture, box, detectionScore: 0.5 },
      { pixels: picture, box, detectionScore: 0.999 },
      { pixels: picture, box: other, detectionScore: 0.6 },
      // Drawn by somebody: only the crop has a say.
      { pixels: picture, box },
    ];
    const scoresOf = async (opened: InferencePool) => {
      const result = await opened.classify(crops);
      if (!result.ok) throw new Error(result.error.message);
      expect(result.closeUpsMs).toHaveLength(2);
      await opened.close();
      return result.faceScores;
    };
    const expected = (index: number, weights: CloseUpWeights) =>
      faceProbabilityWithCloseUp(
        {
          ...{ detection: 0.5, crop: judgePlainly(crops[index]!).face![0]!, closeUp: 0.5 },
          context: judgePlainly(crops[index]!, { marginRatio }).face![0]!,
        },
        weights,
      );
    const { context: _, ...withoutContext } = again;
    for (const weights of [again, withoutContext]) {
      const scores = await scoresOf(await open({ contextMarginRatio: marginRatio }, weights));
      for (const index of [0, 2])
        expect(Math.abs(scores[index]! - expected(index, weights))).toBeLessThan(1e-3);
      expect(scores[1]).toBeCloseTo(0.999, 4);
      expect(Math.abs(scores[3]! - judgePlainly(crops[3]!).face![0]!)).toBeLessThan(1e-3);
    }
    // Otherwise it would prove nothing.
    for (const off of [
      expected(0, again) - expected(2, again),
      expected(0, again) - expected(0, withoutContext),
    ])
      expect(Math.abs(off)).toBeGreaterThan(3e-3);

    // How wide it is to be cut is nowhere said.
    await expect(open({ contextMarginRatio: undefined })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('contextMarginRatio'),
    });
  });

  it('looks closer with the detector where it is open whether a box shows a face, and only there', async () => {
    const closeUp = { sizePx: 64, marginRatio: 0.5, detection: 0.4, crop: 0.3, closeUp: 0.9, bias: 0.1 };
    const closeUpScore = (box: Box) => {
      const input = new Uint8Array(closeUp.sizePx ** 2 * 3);
      const source = { ...picture, data: new Uint8Array(picture.buffer) };
      // The longer side plus half of it fills the close-up, which is moved into the picture (96 × 54 of it).
      const { width } = box;
      const left = Math.min(Math.max(0, box.x - width / 4), 96 - 1.5 * width);
      const top = Math.min(Math.max(0, box.y - width / 4), 54 - 1.5 * width);
      extractCrop(source, { ...box, x: left + width / 4, y: top + width / 4 }, closeUp, input);
      const scale = closeUp.sizePx / (1.5 * width);
      const expected = {
        ...{ x: (box.x - left) * scale, y: (box.y - top) * scale },
        ...{ width: width * scale, height: width * scale },
      };
      const hits = plainFaces(input, 64, 64, 0.01).filter((face) => iou(face.box, expected) >= 0.3);
      return hits[0]?.score ?? 0.01;
    };
    const boxes = [0, 10, 20, 30, 40].flatMap((x) =>
      [8, 16, 24, 34].map((side) => ({ x, y: 6, width: side, height: side })),
    );
    const seen = boxes.find((candidate) => closeUpScore(candidate) > 0.05)!;
    const unseen = boxes.find((candidate) => closeUpScore(candidate) === 0.01)!;
    const crops = [
      { pixels: picture, box: seen, detectionScore: 0.5 },
      { pixels: picture, box: unseen, detectionScore: 0.5 },
      // Sure enough without.
      { pixels: picture, box: seen, detectionScore: 0.999999 },
      // Drawn by somebody: the detector has no say.
      { pixels: picture, box: seen },
    ];
    const plain = await (await openPool({}, { engine })).classify(crops);
    await pool!.close();
    const weights = { detection: 1, crop: 0.1, bias: 0 };
    const classifierModelDir = await models.classifierWith(`closer-${engine}`, {
      faceWeights: { detector: 'tiny-detector', ...weights, closeUp: { from: 0.1, to: 0.99, ...closeUp } },
    });

    const result = await (await openPool({}, { engine, classifierModelDir })).classify(crops);
    if (!result.ok || !plain.ok) throw new Error('failed');
    expect(result.closeUpsMs).toHaveLength(2);
    expect(plain.closeUpsMs).toEqual([]);
    for (const [index, crop] of crops.entries()) {
      const evidence = { detection: crop.detectionScore ?? 0, crop: plain.faceScores[index]! };
      const expected = [
        faceProbabilityWithCloseUp({ ...evidence, closeUp: closeUpScore(crop.box), context: null }, closeUp),
        faceProbabilityWithCloseUp({ ...evidence, closeUp: 0.01, context: null }, closeUp),
        faceProbability(evidence, weights),
        plain.faceScores[index]!,
      ][index]!;
      expect(Math.abs(result.faceScores[index]! - expected)).toBeLessThan(1e-3);
    }
  });

  it('takes more crops than go through the model at once', async () => {
    const crops = Array.from({ length: 130 }, (_, i) => ({ pixels: picture, box: { ...box, x: i % 60 } }));
    const opened = await openPool({}, { engine });
    const result = await opened.classify(crops);
    const alone = await opened.classify([crops[129]!]);
    if (!result.ok || !alone.ok) throw new Error('failed');
    expect(result.scores).toHaveLength(130);
    expect(result.scores[129]!.with_mask).toBeCloseTo(alone.scores[0]!.with_mask, 4);
  });

  it.each(['exit', 'throw'] as const)(
    'a worker that dies (%s) fails its own task only and is replaced',
    async (how) => {
      const log = new ListeningLog();
      const opened = await openPool({ log }, { engine });
      const before = await opened.classify([{ pixels: picture, box }]);
      const crashed = opened.crashWorker(how);
      const waiting = [opened.detect(picture, 0.6), opened.classify([{ pixels: picture, box }])] as const;
      expect(await crashed).toMatchObject({ ok: false, error: { code: 'WORKER_DIED', retryable: true } });
      const [detected, classified] = await Promise.all(waiting);
      expect(detected.ok).toBe(true);
      if (!before.ok || !classified.ok) throw new Error('failed');
      expect(classified.scores).toEqual(before.scores);
      await log.until(READY);
      expect(opened.workerDeaths).toBe(1);
      expect(opened.workersReady).toBe(1);
    },
  );
});

describe('InferencePool', () => {
  it('answers with a failure where a picture does not fit its buffer, and goes on', async () => {
    const opened = await openPool();
    const bad = { ...picture, height: 1000 };
    expect(await opened.detect(bad, 0.5)).toMatchObject({ ok: false, error: { code: 'PIXELS_BAD_INPUT' } });
    expect(await opened.classify([{ pixels: picture, box: { ...box, width: 0, height: 0 } }])).toMatchObject({
      ok: false,
      error: { code: 'PIXELS_BAD_INPUT' },
    });
    expect((await opened.detect(picture, 0.5)).ok).toBe(true);
    expect(opened.workerDeaths).toBe(0);
  });

  it('refuses what is more than its queue takes, in words that name it', async () => {
    const opened = await openPool({ maxQueue: 2 });
    const tasks = Array.from({ length: 5 }, () => opened.detect(picture, 0.5));
    expect(opened.queueSize).toBe(2);
    const codes = (await Promise.all(tasks)).map((result) => (result.ok ? 'ok' : result.error.code));
    expect(codes).toEqual(['ok', 'ok', 'ok', 'POOL_OVERLOADED', 'POOL_OVERLOADED']);
    expect(opened.queueSize).toBe(0);
    expect((await opened.detect(picture, 0.5)).ok).toBe(true);
  });

  it('serves in the order of arrival', async () => {
    const opened = await openPool();
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (index) => {
        await opened.detect(picture, 0.9);
        order.push(index);
      }),
    );
    expect(order).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('goes on with the others while one worker cannot be replaced, and takes it back once it can', async () => {
    const log = new ListeningLog();
    const own = await makeTinyModels();
    try {
      const opened = await openPool(
        { workers: 2, log },
        { detectorModelDir: own.detectorDir, classifierModelDir: own.classifierDir },
      );
      const manifest = join(own.detectorDir, 'manifest.json');
      await rename(manifest, `${manifest}.away`);
      expect((await opened.crashWorker('exit')).ok).toBe(false);
      await log.until(NOT_STARTED);
      expect(log.messages.join('\n')).toContain('manifest.json cannot be read');
      expect(opened.workersReady).toBe(1);
      for (let i = 0; i < 5; i++) expect((await opened.detect(picture, 0.5)).ok).toBe(true);

      await rename(`${manifest}.away`, manifest);
      // Two tasks at once need both: the missing worker is tried again.
      const isReady = log.until(READY).then(() => true);
      while (!(await Promise.race([isReady, Promise.resolve(false)])))
        await Promise.all([opened.detect(picture, 0.5), opened.detect(picture, 0.5)]);
      expect(opened.workersReady).toBe(2);
    } finally {
      await pool?.close();
      await own.remove();
    }
  });

  it('with no worker left fails at once instead of waiting, and comes back by itself', async () => {
    const log = new ListeningLog();
    const own = await makeTinyModels();
    try {
      const opened = await openPool({ log }, { detectorModelDir: own.detectorDir });
      const manifest = join(own.detectorDir, 'manifest.json');
      await rename(manifest, `${manifest}.away`);
      const crashed = opened.crashWorker('exit');
      const waiting = opened.detect(picture, 0.5);
      expect((await crashed).ok).toBe(false);
      expect(await waiting).toMatchObject({
        ok: false,
        error: { code: 'WORKER_UNAVAILABLE', retryable: true },
      });
      // Tried again while there is work, but with waits: half a second after the first failure, then a second.
      const firstMs = performance.now();
      const isTriedAgain = log.until(NOT_STARTED, 3).then(() => true);
      while (!(await Promise.race([isTriedAgain, Promise.resolve(false)]))) {
        expect(await opened.detect(picture, 0.5)).toMatchObject({ error: { code: 'WORKER_UNAVAILABLE' } });
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(performance.now() - firstMs).toBeGreaterThan(1490);

      await rename(`${manifest}.away`, manifest);
      const isReady = log.until(READY).then(() => true);
      while (!(await Promise.race([isReady, Promise.resolve(false)]))) {
        await opened.detect(picture, 0.5);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await opened.detect(picture, 0.5)).ok).toBe(true);
    } finally {
      await pool?.close();
      await own.remove();
    }
  });

  it('does not obey a crash task unless it was opened for that', async () => {
    const opened = await openPool({ faultInjection: false });
    expect(await opened.crashWorker('exit')).toMatchObject({ error: { code: 'FAULT_INJECTION_OFF' } });
    expect((await opened.detect(picture, 0.5)).ok).toBe(true);
  });

  it.each<[string, Partial<WorkerOptions>, object]>([
    [
      'a model that is not there',
      { classifierModelDir: 'models/nowhere' },
      { code: 'MODEL_NOT_FOUND', exitCode: 3 },
    ],
    [
      'a size that the detector does not take',
      { detectorWidth: 100 },
      { code: 'MODEL_UNSUPPORTED', exitCode: 2 },
    ],
  ])('does not open with %s, and says so', async (_, options, error) => {
    await expect(openPool({ workers: 2 }, options)).rejects.toMatchObject(error);
  });

  it('does not open with the models mixed up', async () => {
    const { detectorDir, classifierDir } = models;
    await expect(
      openPool({}, { detectorModelDir: classifierDir, detectorWidth: 32, detectorHeight: 32 }),
    ).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('tiny-classifier') });
    await expect(openPool({}, { classifierModelDir: detectorDir })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('tiny-detector'),
    });
  });

  it('on close finishes what is under way, then refuses', async () => {
    const opened = await openPool();
    const underWay = [opened.detect(picture, 0.5), opened.detect(picture, 0.5)];
    const closed = opened.close();
    expect(await opened.detect(picture, 0.5)).toMatchObject({ error: { code: 'POOL_CLOSED' } });
    expect((await Promise.all(underWay)).map(({ ok }) => ok)).toEqual([true, true]);
    await closed;
    await opened.close();
    expect(opened.workerDeaths).toBe(0);
  });

  it('on close does not wait for ever', async () => {
    const opened = await openPool({ closeTimeoutMs: 1 });
    const tasks = Array.from({ length: 10 }, () =>
      opened.classify(Array.from({ length: 64 }, () => ({ pixels: picture, box }))),
    );
    await opened.close();
    const codes = (await Promise.all(tasks)).map((result) => (result.ok ? 'ok' : result.error.code));
    expect(codes.at(-1)).toBe('POOL_CLOSED');
  });
});
