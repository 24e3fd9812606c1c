import { z } from 'zod';
import { CAMERA_CONDITIONS } from '../domain/camera.js';
import {
  DECODINGS,
  EXTRA_INPUT_OPTIONS,
  EXTRA_OPTION_VALUE,
  RTSP_TRANSPORTS,
} from '../ingest/ffmpeg-input-options.js';
import { overridesOf } from './overrides.js';
import { policySchema } from './policy-schema.js';
import { identifier, secretSchema } from './values.js';

export const analysisSchema = z.strictObject({
  rateFps: z.number().positive().max(60).default(5).describe('Analysed frames per second. Default 5.'),
  widthPx: z
    .int()
    .min(160)
    .max(3840)
    .multipleOf(2)
    .default(640)
    .describe('Width of the analysed picture, pixels; ffmpeg scales to it. Default 640.'),
  heightPx: z
    .int()
    .min(90)
    .max(2160)
    .multipleOf(2)
    .default(360)
    .describe('Height of the analysed picture, pixels; the camera’s aspect ratio is kept. Default 360.'),
});

export const cameraSchema = z.strictObject({
  id: identifier.describe('Unique name in events, metrics and addresses.'),
  name: z.string().min(1).max(120).optional().describe('Name for people. Default: the id.'),
  url: z
    .string()
    .min(1)
    .describe(
      'rtsp://, rtsps://, http://, https:// or file: address, without user and password; or device: and a local camera (device:/dev/video0).',
    ),
  subUrl: z
    .string()
    .min(1)
    .optional()
    .describe('Address of a smaller stream of the same camera: analysed in place of url. Default: none.'),
  username: z.string().optional().describe('User for the camera; any characters.'),
  password: secretSchema.optional().describe('Password for the camera; any characters.'),
  enabled: z.boolean().default(true).describe('false: configured but not watched. Default true.'),
  transport: z
    .enum(['auto', ...RTSP_TRANSPORTS])
    .default('tcp')
    .describe(
      'RTSP transport; http is a tunnel through HTTP, auto takes the first of tcp, udp and http over which pictures come. Default tcp.',
    ),
  decoding: z
    .enum(DECODINGS)
    .default('none')
    .describe(
      'Hardware that decodes: none (the CPU), auto, vaapi, cuda, qsv or videotoolbox, as far as ffmpeg and machine have it; else the CPU, with a warning. Default none.',
    ),
  keyframesOnly: z
    .boolean()
    .default(false)
    .describe('Decode keyframes only: next to no CPU, one picture per keyframe interval. Default false.'),
  rotationDegrees: z
    .literal([0, 90, 180, 270])
    .default(0)
    .describe('Turns the picture clockwise: 0, 90, 180 or 270 degrees. Default 0.'),
  inputOptions: z
    .partialRecord(
      z.enum(EXTRA_INPUT_OPTIONS),
      z.union([
        z.string().regex(EXTRA_OPTION_VALUE, 'use printable ASCII characters, and no "-" at the beginning'),
        z.number(),
      ]),
    )
    .default({})
    .describe(
      `Further input options of ffmpeg, without the dash (e.g. reorder_queue_size: 1000); allowed are ${EXTRA_INPUT_OPTIONS.join(', ')}. Default none.`,
    ),
  analysis: overridesOf(analysisSchema)
    .optional()
    .describe('Overrides of the top-level `analysis` for this camera.'),
  policy: overridesOf(policySchema)
    .optional()
    .describe('Overrides of the top-level `policy` for this camera.'),
  ignoreConditions: z
    .array(z.enum(CAMERA_CONDITIONS))
    .default([])
    .describe(
      `Conditions of the picture that are not to be told of this camera: any of ${CAMERA_CONDITIONS.join(', ')}. Default none.`,
    ),
  loop: z
    .boolean()
    .default(false)
    .describe('For file: play it again from the start for ever. Default false.'),
});
