import { z } from 'zod';
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
    .describe('rtsp://, rtsps://, http://, https:// or file: address, without user and password.'),
  username: z.string().optional().describe('User for the camera; any characters.'),
  password: secretSchema.optional().describe('Password for the camera; any characters.'),
  enabled: z.boolean().default(true).describe('false: configured but not watched. Default true.'),
  transport: z.enum(['tcp', 'udp']).default('tcp').describe('RTSP transport. Default tcp.'),
  analysis: overridesOf(analysisSchema)
    .optional()
    .describe('Overrides of the top-level `analysis` for this camera.'),
  policy: overridesOf(policySchema)
    .optional()
    .describe('Overrides of the top-level `policy` for this camera.'),
  loop: z
    .boolean()
    .default(false)
    .describe('For file: play it again from the start for ever. Default false.'),
});
