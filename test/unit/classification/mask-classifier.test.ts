import { describe, expect, it } from 'vitest';
import { MaskClassifier } from '../../../src/classification/mask-classifier.js';
import type { BatchReport } from '../../../src/classification/micro-batcher.js';
import { ManualClock } from '../../../src/lib/clock.js';
import type { ClassifyResult, CropRequest, TaskFailure } from '../../../workers/protocol.js';

const pixels = {
  buffer: new SharedArrayBuffer(12),
  byteOffset: 0,
  width: 2,
  height: 2,
  contentWidth: 2,
  contentHeight: 2,
};
const crop = (x: number): CropRequest => ({ pixels, box: { x, y: 0, width: 1, height: 1 } });
/** Scores that tell which crop they belong to. */
const scoresOf = ({ box }: CropRequest) => ({
  with_mask: box.x / 100,
  without_mask: 1 - box.x / 100,
  mask_worn_incorrectly: 0,
});

const faceScoreOf = ({ box }: CropRequest) => 1 - box.x / 1000;

function setUp(answer: (crops: readonly CropRequest[]) => ClassifyResult | TaskFailure) {
  const batches: (readonly CropRequest[])[] = [];
  const reports: BatchReport[] = [];
  const classifier = new MaskClassifier({
    clock: new ManualClock(),
    maxBatch: 2,
    maxBatchAgeMs: 0,
    maxRunning: 4,
    onBatch: (report) => reports.push(report),
    classifyBatch: async (crops) => {
      batches.push(crops);
      return answer(crops);
    },
  });
  return { classifier, batches, reports };
}

const success = (crops: readonly CropRequest[]): ClassifyResult => ({
  ok: true,
  kind: 'classify',
  scores: crops.map(scoresOf),
  faceScores: crops.map(faceScoreOf),
  secondLooks: 0,
  closeUpsMs: [],
  timings: { prepareMs: 9, inferenceMs: 4, finishMs: 1 },
});

describe('MaskClassifier', () => {
  it('gives each camera its own crops’ scores, from batches that they share', async () => {
    const { classifier, batches } = setUp(success);
    const [door, hall] = await Promise.all([
      classifier.classify([crop(1), crop(2), crop(3)]),
      classifier.classify([crop(4)]),
    ]);
    expect(batches.map((batch) => batch.map(({ box }) => box.x))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(door).toEqual(
      [1, 2, 3].map((x) => ({ ok: true, scores: scoresOf(crop(x)), faceScore: faceScoreOf(crop(x)) })),
    );
    expect(hall).toEqual([{ ok: true, scores: scoresOf(crop(4)), faceScore: faceScoreOf(crop(4)) }]);
  });

  it('reports the time that the model ran, not that of the way there', async () => {
    const { classifier, reports } = setUp(success);
    await classifier.classify([crop(1)]);
    expect(reports).toMatchObject([{ size: 1, inferenceMs: 4 }]);
  });

  it('gives nothing for nothing, without a batch', async () => {
    const { classifier, batches } = setUp(success);
    expect(await classifier.classify([])).toEqual([]);
    expect(batches).toEqual([]);
  });

  it('fails only the crops of the batch that failed', async () => {
    const failure: TaskFailure = {
      ok: false,
      error: { code: 'WORKER_DIED', message: 'gone', retryable: true },
    };
    const { classifier } = setUp((crops) => (crops[0]!.box.x === 1 ? failure : success(crops)));
    expect(await classifier.classify([crop(1), crop(2), crop(3)])).toEqual([
      failure,
      failure,
      { ok: true, scores: scoresOf(crop(3)), faceScore: faceScoreOf(crop(3)) },
    ]);
  });
});
