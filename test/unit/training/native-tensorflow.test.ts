import { expect, it } from 'vitest';
import { startNativeTensorFlow } from '../../../src/training/head/tensorflow.js';

it('who trains convolutions is told what is missing, instead of an operation without a gradient hours later', async () => {
  await expect(startNativeTensorFlow({ device: 'wasm' })).rejects.toMatchObject({
    code: 'TRAIN_NO_BACKEND',
    exitCode: 3,
    hint: expect.stringContaining('maskwatch setup tensorflow'),
  });
});
