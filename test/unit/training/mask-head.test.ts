import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { toFloat16 } from '../../../src/lib/float16.js';
import { seededRandom } from '../../../src/lib/random.js';
import type { Network } from '../../../src/training/export/network.js';
import { writeOnnx } from '../../../src/training/export/onnx-writer.js';
import type { FeatureSet } from '../../../src/training/features/extract-features.js';
import { MaskHead } from '../../../src/training/head/mask-head.js';
import { startTensorFlow } from '../../../src/training/head/tensorflow.js';
import { predictLogits, trainHead } from '../../../src/training/head/train-head.js';
import { calibratedScores } from '../../../src/training/metrics/calibration.js';

// Maps of the three colours of the picture itself, so that the head can be looked at without a backbone.
const map = { heightCells: 4, widthCells: 4, channels: 3 };
const length = 4 * 4 * 3;

/** The brightest of three rows tells the label; the fourth is noise. */
function colouredRows(count: number, seed: number): { set: FeatureSet; pixels: Uint8Array } {
  const random = seededRandom(seed);
  const pixels = new Uint8Array(count * length);
  const samples = Array.from({ length: count }, (_, index) => {
    const labelIndex = random.index(3);
    for (let i = 0; i < length; i++) {
      const isMarked = Math.floor(i / 12) === labelIndex;
      pixels[index * length + i] = random.between(isMarked ? 90 : 0, isMarked ? 255 : 165);
    }
    return { pictureIndex: index, faceIndex: 0, copy: 0, labelIndex, weight: 1, facePx: 50 };
  });
  const values = toFloat16(Float32Array.from(pixels, (value) => value / 127.5 - 1));
  return { set: { samples, values, length }, pixels };
}

const labelShares = { with_mask: 0.4, without_mask: 0.3, mask_worn_incorrectly: 0.3 };
const optimisation = {
  seed: 5,
  batchSize: 32,
  maxEpochs: 6,
  learningRate: 1e-2,
  weightDecay: 0.01,
  labelSmoothing: 0.05,
  patienceEpochs: 3,
  balance: 0.5,
};

describe('MaskHead', () => {
  beforeAll(async () => {
    await startTensorFlow();
  });

  it.each([0, 6])(
    'learns, and its exported nodes give the same scores (%i channels convolved)',
    async (convChannels) => {
      const training = colouredRows(600, 1);
      const validation = colouredRows(120, 2);
      const shape = { reduceChannels: 8, convChannels, hiddenUnits: 16, dropout: 0.1 };
      const {
        head,
        validation: metrics,
        epochs,
      } = await trainHead(training.set, validation.set, {
        map,
        shape,
        optimisation,
        labelShares,
      });
      expect(metrics.accuracy).toBeGreaterThan(0.9);
      // Guessing costs ln 3.
      expect(epochs.at(-1)!.validationLoss).toBeLessThan(0.3);

      const calibration = { temperature: 1.7, bias: [0.3, -0.5, 0.2] };
      const network: Network = {
        name: 'head',
        nodes: [
          { op: 'input', name: 'picture', heightPx: 4, widthPx: 4 },
          { op: 'normalise', name: 'normalised', input: 'picture', scale: 1 / 127.5, offset: -1 },
          ...head.toNodes('normalised', calibration),
        ],
        outputs: [{ name: 'scores', node: 'head_scores' }],
      };
      const session = await InferenceSession.create(writeOnnx(network));
      const count = 20;
      const { scores } = await session.run({
        pixels: new Tensor('uint8', validation.pixels.subarray(0, count * length), [count, 4, 4, 3]),
      });
      const logits = await predictLogits(head, validation.set);
      const expected = logits.slice(0, count).flatMap((row) => calibratedScores(row, calibration));
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - Number(scores!.data[i]))));
      // Features went through float16 on their way to the head, pixels did not.
      expect(worst).toBeLessThan(5e-3);
      await session.release();
      head.dispose();
    },
  );

  it('gives the same weights from the same seed and keeps no tensors', async () => {
    const training = colouredRows(128, 1).set;
    const before = tf.memory().numTensors;
    const runs = [];
    for (let run = 0; run < 2; run++) {
      const { head } = await trainHead(training, training, {
        map,
        shape: { reduceChannels: 4, convChannels: 0, hiddenUnits: 8, dropout: 0.2 },
        optimisation: { ...optimisation, maxEpochs: 2 },
        labelShares,
      });
      runs.push(head.snapshot());
      head.dispose();
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('goes back to a snapshot', () => {
    const head = MaskHead.create(
      map,
      { reduceChannels: 4, convChannels: 0, hiddenUnits: 8, dropout: 0 },
      seededRandom(1),
    );
    const kept = head.snapshot();
    tf.tidy(() => head.weights.get('logits/kernel')!.assign(tf.zeros([8, 3])));
    expect(head.snapshot()).not.toEqual(kept);
    head.restore(kept);
    expect(head.snapshot()).toEqual(kept);
    head.dispose();
  });

  it('stops at once when told to', async () => {
    const { set } = colouredRows(64, 1);
    await expect(
      trainHead(set, set, {
        map,
        shape: { reduceChannels: 4, convChannels: 0, hiddenUnits: 8, dropout: 0 },
        optimisation,
        labelShares,
        signal: AbortSignal.abort(new Error('enough')),
      }),
    ).rejects.toThrow('enough');
  });
});
