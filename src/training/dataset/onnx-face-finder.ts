import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Box, iou } from '../../domain/box.js';
import type { FaceDetection, Landmarks } from '../../domain/face.js';
import { resample } from '../../lib/resample.js';
import type { FaceFinder } from './face-finder.js';
import { blankPicture } from './rgb-picture.js';

export async function openOnnxFaceFinder(modelPath: string, threshold: number): Promise<FaceFinder> {
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1 });
  const size = 640;
  return {
    id: `yunet-${size}-${threshold}`,
    async find(picture) {
      const scale = size / Math.max(picture.width, picture.height);
      const width = Math.round(picture.width * scale);
      const height = Math.round(picture.height * scale);
      const canvas = blankPicture(size, size);
      resample(
        picture,
        { x: 0, y: 0, width: picture.width, height: picture.height },
        { data: canvas.data, offset: 0, width, height, strideBytes: size * 3 },
      );
      const input = new Float32Array(3 * size * size);
      const plane = size * size;
      for (let i = 0; i < plane; i++)
        for (let c = 0; c < 3; c++) input[c * plane + i] = canvas.data[i * 3 + 2 - c]!;
      const out = await session.run({
        [session.inputNames[0]!]: new Tensor('float32', input, [1, 3, size, size]),
      });
      const faces: FaceDetection[] = [];
      for (const stride of [8, 16, 32]) {
        const get = (name: string) => out[`${name}_${stride}`]!.data as Float32Array;
        const [cls, obj, bbox, kps] = [get('cls'), get('obj'), get('bbox'), get('kps')];
        const columns = size / stride;
        for (let i = 0; i < cls.length; i++) {
          const score = Math.sqrt(Math.min(1, Math.max(0, cls[i]!)) * Math.min(1, Math.max(0, obj[i]!)));
          if (score < threshold) continue;
          const col = i % columns;
          const row = Math.floor(i / columns);
          const cx = (col + bbox[i * 4]!) * stride;
          const cy = (row + bbox[i * 4 + 1]!) * stride;
          const w = Math.exp(bbox[i * 4 + 2]!) * stride;
          const h = Math.exp(bbox[i * 4 + 3]!) * stride;
          const box: Box = {
            x: (cx - w / 2) / scale,
            y: (cy - h / 2) / scale,
            width: w / scale,
            height: h / scale,
          };
          const landmarks = [0, 1, 2, 3, 4].map((k) => ({
            x: ((col + kps[i * 10 + 2 * k]!) * stride) / scale,
            y: ((row + kps[i * 10 + 2 * k + 1]!) * stride) / scale,
          })) as unknown as Landmarks;
          faces.push({ box, score, landmarks, sharpness: 0 });
        }
      }
      faces.sort((a, b) => b.score - a.score);
      const kept: FaceDetection[] = [];
      for (const face of faces) if (kept.every((other) => iou(other.box, face.box) < 0.45)) kept.push(face);
      return kept;
    },
    close: async () => {
      await session.release();
    },
  };
}
