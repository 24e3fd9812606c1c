import { z } from 'zod';
import { pictureHealthSchema } from './picture-health-schema.js';
import { fraction, modelName, secretSchema } from './values.js';

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.replace(/\/$/, '').toLowerCase();
}

export const ingestSchema = z.strictObject({
  ffmpegPath: z
    .string()
    .optional()
    .describe(
      "ffmpeg to use: a path, or a name to look up in PATH. Default: FFMPEG_PATH, then the one that npm installed or, for what only that can do, the system's.",
    ),
  connectTimeoutSeconds: z
    .number()
    .positive()
    .max(120)
    .default(10)
    .describe('No first frame for this long after a start: start again, seconds. Default 10.'),
  stallTimeoutSeconds: z
    .number()
    .positive()
    .max(120)
    .default(5)
    .describe('No new frame for this long: the camera is stalled and started again, seconds. Default 5.'),
  backoffMinSeconds: z
    .number()
    .positive()
    .max(60)
    .default(0.5)
    .describe('First ceiling of the random wait before a restart, seconds. Default 0.5.'),
  backoffMaxSeconds: z
    .number()
    .positive()
    .max(3600)
    .default(30)
    .describe('Highest ceiling of that wait, seconds. Default 30.'),
  deniedRetryMaxSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(1800)
    .describe(
      'Highest ceiling of the wait after a camera refused user or password, seconds: it grows fourfold from four times backoffMaxSeconds on, so that no account is locked. Default 1800.',
    ),
  maxStarting: z
    .int()
    .min(1)
    .max(256)
    .default(8)
    .describe('Cameras that may start at a time; those that failed get half of the places. Default 8.'),
  stableAfterSeconds: z
    .number()
    .positive()
    .max(3600)
    .default(30)
    .describe('A stream that ran this long is stable: the wait begins small again, seconds. Default 30.'),
  killAfterSeconds: z
    .number()
    .positive()
    .max(30)
    .default(2)
    .describe('Time that ffmpeg gets to end by itself before it is killed, seconds. Default 2.'),
  pictureHealth: pictureHealthSchema
    .prefault({})
    .describe('Watching whether pictures are worth judging; see docs/picture-health.md.'),
});

export const detectionSchema = z.strictObject({
  model: modelName.default('yunet-mask').describe('Face detector, a folder of models/. Default yunet-mask.'),
  widthPx: z
    .int()
    .multipleOf(32)
    .min(96)
    .max(1920)
    .default(640)
    .describe('Input width, pixels. Default 640.'),
  heightPx: z
    .int()
    .multipleOf(32)
    .min(96)
    .max(1920)
    .default(384)
    .describe('Input height, pixels. Default 384.'),
  scoreThreshold: fraction
    .default(0.2)
    .describe('Faces at or above this score may begin a track, 0–1. Default 0.2.'),
  lowScoreThreshold: fraction
    .default(0.2)
    .describe(
      'Faces at or above this score may continue a track (ByteTrack), 0–1; by default none that may not begin one. Default 0.2.',
    ),
});

export const trackingSchema = z.strictObject({
  confirmHits: z
    .int()
    .min(1)
    .max(20)
    .default(2)
    .describe('Frames in which a face must be seen before its track counts. Default 2.'),
  maxLostSeconds: z
    .number()
    .min(0)
    .max(60)
    .default(2)
    .describe('How long a hidden face keeps its track, seconds. Default 2.'),
});

export const classificationSchema = z.strictObject({
  model: modelName
    .default('mask-mobilenetv2')
    .describe('Classifier, a folder of models/. Default mask-mobilenetv2.'),
  minFacePx: z
    .number()
    .min(4)
    .max(512)
    .default(8)
    .describe(
      'Smallest face (shorter side of its box) that is judged, pixels of the analysed picture. Default 8.',
    ),
  minSharpness: z
    .number()
    .min(0)
    .default(20)
    .describe('Least variance of the Laplacian of a face that is judged. Default 20.'),
  minFaceScore: fraction
    .default(0.6)
    .describe(
      'Below it a crop is held for no face, by what detector and classifier say of it together, 0–1; such a track is not shown and opens no episode. 0 switches this off. Default 0.6.',
    ),
  recheckSeconds: z
    .number()
    .positive()
    .max(600)
    .default(1)
    .describe('A decided track is looked at again after this time, seconds. Default 1.'),
});

export const inferenceSchema = z.strictObject({
  engine: z
    .enum(['auto', 'onnxruntime', 'tfjs'])
    .default('auto')
    .describe('What runs the models. Default auto: the fastest that this machine really has.'),
  device: z
    .enum(['auto', 'cpu', 'cuda', 'tensorrt', 'wasm'])
    .default('auto')
    .describe(
      'What the engine computes on: cuda and tensorrt are NVIDIA GPUs, wasm is TensorFlow.js as WebAssembly. One that is not to be had is replaced, and the log says why. Default auto: the best that starts.',
    ),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(64)])
    .default('auto')
    .describe('Worker threads. Default auto: one per core, at most 8.'),
  maxBatch: z
    .union([z.literal('auto'), z.int().min(1).max(64)])
    .default('auto')
    .describe('Crops per micro-batch at the most. Default auto: measured at start.'),
  maxBatchAgeMs: z
    .number()
    .min(0)
    .max(1000)
    .default(8)
    .describe('A micro-batch is closed when its first crop has waited this long, ms. Default 8.'),
});

export const serverSchema = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on. Default 127.0.0.1.'),
  port: z
    .int()
    .min(0)
    .max(65535)
    .default(8080)
    .describe('Port to listen on; 0 takes a free one. Default 8080.'),
  auth: z
    .strictObject({
      secret: secretSchema.describe(
        'Key of the HS256 tokens that `maskwatch token` makes; 32 characters or more.',
      ),
    })
    .optional()
    .describe('Needed to listen on anything but loopback. Default: no authentication.'),
  corsOrigins: z

    .array(z.string().refine(isOrigin, 'use an origin, e.g. https://control.example:8443, without a path'))
    .default([])
    .describe('Other origins whose pages may connect. Default: none.'),
});

export const storeSchema = z.strictObject({
  path: z
    .string()
    .default('data/maskwatch.db')
    .describe(
      'SQLite file, relative to the configuration file; `:memory:` keeps nothing. Default data/maskwatch.db.',
    ),
});

export const loggingSchema = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severity that is logged. Default info.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('How log lines look. Default auto: pretty on a terminal, JSON elsewhere.'),
});
