import { describe, expect, it } from 'vitest';
import { checkPictureInput } from '../../../src/inference/check-input.js';
import type { Tensor } from '../../../src/inference/engine.js';
import type { ModelManifest } from '../../../src/inference/manifest.js';

const file = { file: 'model.onnx', sha256: '0'.repeat(64), sizeBytes: 1 };

function manifest(input: Partial<ModelManifest['input']>): ModelManifest {
  return {
    formatVersion: 1,
    name: 'some-model',
    version: '1',
    task: 'mask-classification',
    description: 'For tests.',
    license: 'Apache-2.0',
    origin: ['a test'],
    input: {
      name: 'pixels',
      layout: 'NHWC',
      type: 'uint8',
      colour: 'rgb',
      heightPx: 8,
      widthPx: 16,
      ...input,
    },
    outputs: [{ name: 'scores', shape: [null, 3], meaning: 'scores' }],
    forms: { onnx: file, tfjs: { file: 'model.json', files: [file, file] } },
  };
}

const fixed = manifest({});
const dynamic = manifest({ heightPx: null, widthPx: null, multipleOf: 32 });
const pixels = (...shape: number[]): Record<string, Tensor> => ({
  pixels: { data: new Uint8Array(shape.reduce((a, b) => a * b, 1)), shape },
});

describe('checkPictureInput', () => {
  it('takes what the manifest asks for', () => {
    expect(checkPictureInput(fixed, pixels(5, 8, 16, 3)).shape).toEqual([5, 8, 16, 3]);
    expect(checkPictureInput(dynamic, pixels(1, 64, 96, 3)).shape).toEqual([1, 64, 96, 3]);
  });

  it.each<[string, ModelManifest, Record<string, Tensor>, RegExp]>([
    ['no input', fixed, {}, /takes one input, pixels; got none/],
    ['another name', fixed, { picture: pixels(1, 8, 16, 3).pixels! }, /got picture/],
    ['a second input', fixed, { ...pixels(1, 8, 16, 3), more: pixels(1).pixels! }, /got pixels, more/],
    [
      'floats',
      fixed,
      { pixels: { data: new Float32Array(8 * 16 * 3), shape: [1, 8, 16, 3] } },
      /must be uint8/,
    ],
    ['a missing batch', fixed, pixels(8, 16, 3), /batch × height × width × 3/],
    ['an empty batch', fixed, pixels(0, 8, 16, 3), /batch × height × width × 3/],
    ['grey', fixed, pixels(1, 8, 16, 1), /3 channels/],
    ['sides the wrong way round', fixed, pixels(1, 16, 8, 3), /8 × 16 pixels high and wide, got 16 × 8/],
    ['a side that is no multiple', dynamic, pixels(1, 64, 90, 3), /multiple of 32/],
    [
      'too few bytes',
      fixed,
      { pixels: { data: new Uint8Array(10), shape: [1, 8, 16, 3] } },
      /10 bytes given, 384 expected/,
    ],
  ])('refuses %s', (_, model, inputs, message) => {
    expect(() => checkPictureInput(model, inputs)).toThrow(
      expect.objectContaining({ code: 'INFERENCE_BAD_INPUT', message: expect.stringMatching(message) }),
    );
  });
});
