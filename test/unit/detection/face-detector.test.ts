import { describe, expect, it } from 'vitest';
import { FaceDetector } from '../../../src/detection/face-detector.js';
import type { Frame, PixelBuffer } from '../../../src/domain/frame.js';
import type { DetectResult, DetectTask, TaskFailure } from '../../../workers/protocol.js';
import { anyStatistics } from '../../support/made-pictures.js';

const pixels: PixelBuffer = {
  buffer: new SharedArrayBuffer(640 * 384 * 3),
  byteOffset: 0,
  width: 640,
  height: 384,
  contentWidth: 640,
  contentHeight: 360,
};
const frame: Frame = {
  cameraId: 'door',
  frameId: 1,
  capturedAtMs: 0,
  monotonicMs: 0,
  pixels,
  sourceWidth: 1280,
  sourceHeight: 720,
  retain() {},
  release() {},
};
const found: DetectResult = {
  ok: true,
  kind: 'detect',
  faces: [
    {
      box: { x: 100, y: 50, width: 20, height: 30 },
      score: 0.9,
      sharpness: 44,
      landmarks: [
        { x: 104, y: 60 },
        { x: 116, y: 60 },
        { x: 110, y: 66 },
        { x: 105, y: 72 },
        { x: 115, y: 72 },
      ],
    },
  ],
  timings: { prepareMs: 1, inferenceMs: 2, finishMs: 3 },
};

type Call = [PixelBuffer, number, Pick<DetectTask, 'wantsStatistics'>?];
function detectorWith(answer: DetectResult | TaskFailure, wantsStatistics?: boolean) {
  const calls: Call[] = [];
  const port = {
    detect: async (...call: Call) => {
      calls.push(call);
      return answer;
    },
  };
  return { detector: new FaceDetector(port, { scoreThreshold: 0.25, wantsStatistics }), calls };
}

describe('FaceDetector', () => {
  it('asks for the frame’s pixels at its threshold', async () => {
    const { detector, calls } = detectorWith(found);
    await detector.detect(frame);
    expect(calls).toEqual([[pixels, 0.25, {}]]);
  });

  it('asks for the picture’s statistics where they are wanted, and passes them on', async () => {
    const statistics = anyStatistics();
    const { detector, calls } = detectorWith({ ...found, statistics }, true);
    expect(await detector.detect(frame)).toMatchObject({ ok: true, statistics });
    expect(calls).toEqual([[pixels, 0.25, { wantsStatistics: true }]]);
  });

  it('tells boxes and landmarks in pixels of the source frame', async () => {
    const outcome = await detectorWith(found).detector.detect(frame);
    expect(outcome).toEqual({
      ok: true,
      timings: found.timings,
      faces: [
        {
          box: { x: 200, y: 100, width: 40, height: 60 },
          score: 0.9,
          sharpness: 44,
          landmarks: [
            { x: 208, y: 120 },
            { x: 232, y: 120 },
            { x: 220, y: 132 },
            { x: 210, y: 144 },
            { x: 230, y: 144 },
          ],
        },
      ],
    });
  });

  it('passes a failure on as a value', async () => {
    const failure: TaskFailure = {
      ok: false,
      error: { code: 'POOL_OVERLOADED', message: 'full', retryable: true },
    };
    expect(await detectorWith(failure).detector.detect(frame)).toEqual(failure);
  });
});
