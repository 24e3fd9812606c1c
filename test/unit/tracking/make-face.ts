import type { Box } from '../../../src/domain/box.js';
import type { FaceDetection, Landmarks } from '../../../src/domain/face.js';

/** A frontal face whose landmarks lie where the detector puts them. */
export function makeFace(box: Box, score = 0.9): FaceDetection {
  const at = (x: number, y: number) => ({ x: box.x + x * box.width, y: box.y + y * box.height });
  const landmarks: Landmarks = [at(0.28, 0.4), at(0.72, 0.4), at(0.5, 0.6), at(0.33, 0.78), at(0.67, 0.78)];
  return { box, score, landmarks, sharpness: 300 };
}

/** A face of `width` pixels (height 1.25 times that) around a centre. */
export function faceAt(x: number, y: number, width = 30, score = 0.9): FaceDetection {
  const height = width * 1.25;
  return makeFace({ x: x - width / 2, y: y - height / 2, width, height }, score);
}

/** Repeatable pseudo-random numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
