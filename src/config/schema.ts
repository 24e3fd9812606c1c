import { z } from 'zod';

/*
 * The one source of every configuration key: types, defaults, documentation and the JSON Schema in
 * config/maskwatch.schema.json all come from here. Lengths are pixels of the source frame, times are ms or
 * seconds as the name says. Objects are strict: an unknown key is an error.
 */

const identifier = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use 1–63 of a–z, 0–9, "-" and "_", beginning with a letter or digit');

const fraction = z.number().min(0).max(1);

/** A secret: given in place, or better by the name of an environment variable or by a file. */
export const secretSchema = z
  .union([
    z.string(),
    z.strictObject({ env: z.string().min(1).describe('Name of the environment variable that holds it.') }),
    z.strictObject({
      file: z.string().min(1).describe('Path of the file that holds it; a final newline is cut.'),
    }),
  ])
  .describe('A secret: text, or {env: NAME}, or {file: PATH}.');

const point = z.tuple([fraction, fraction]).describe('x and y as fractions of the frame, origin top left.');
const polygon = z.array(point).min(3).max(64);

const zoneSchema = z.strictObject({
  id: identifier.describe('Name of the zone in events and metrics.'),
  polygon: polygon.describe('Corners as fractions of the frame; the last is joined to the first.'),
  exempt: z
    .boolean()
    .default(false)
    .describe('true: the policy does not apply to faces here. Default false: it applies here.'),
});

const scheduleSchema = z.strictObject({
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .default(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
    .describe('Days of the week on which it begins. Default: every day.'),
  from: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use HH:MM, 00:00 to 23:59')
    .describe('Local time, HH:MM.'),
  to: z
    .string()
    .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'use HH:MM, 00:00 to 24:00')
    .describe('Local time, HH:MM; before `from` means on the next day.'),
});

export const policySchema = z.strictObject({
  labels: z
    .array(z.enum(['without_mask', 'mask_worn_incorrectly']))
    .min(1)
    .default(['without_mask', 'mask_worn_incorrectly'])
    .describe('What breaks the policy. Default: both.'),
  openThreshold: fraction
    .default(0.8)
    .describe('Accumulated probability of a violation at which an episode may open, 0–1. Default 0.8.'),
  closeThreshold: fraction
    .default(0.4)
    .describe('Accumulated probability below which it may close, 0–1; below openThreshold. Default 0.4.'),
  minDurationSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(1)
    .describe('How long the probability must stay above openThreshold, seconds. Default 1.'),
  graceSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(2)
    .describe(
      'How long somebody may go without a mask before it counts, and how long an open episode outlives a dip or a hidden face, seconds. Default 2.',
    ),
  zones: z
    .array(zoneSchema)
    .max(32)
    .default([])
    .describe('Where the policy applies, and where not. Default: the whole frame.'),
  schedule: z.array(scheduleSchema).default([]).describe('When the policy applies. Default: always.'),
  timeZone: z
    .string()
    .default('UTC')
    .refine((zone) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: zone });
        return true;
      } catch {
        return false;
      }
    }, 'use a name of the IANA time zone database, e.g. Europe/Berlin')
    .describe('Time zone of the schedule (IANA name). Default UTC.'),
});

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
  analysis: analysisSchema
    .partial()
    .optional()
    .describe('Overrides of the top-level `analysis` for this camera.'),
  policy: policySchema.partial().optional().describe('Overrides of the top-level `policy` for this camera.'),
  loop: z
    .boolean()
    .default(false)
    .describe('For file: play it again from the start for ever. Default false.'),
});

export const configSchema = z.strictObject({
  cameras: z.array(cameraSchema).max(256).default([]).describe('The cameras to watch.'),
  analysis: analysisSchema.prefault({}).describe('How pictures are analysed, for all cameras.'),
  policy: policySchema.prefault({}).describe('What counts as a violation, for all cameras.'),
  ingest: z
    .strictObject({
      ffmpegPath: z
        .string()
        .optional()
        .describe('ffmpeg to use. Default: FFMPEG_PATH, then the one that npm installed.'),
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
    })
    .prefault({})
    .describe('How streams are read and watched.'),
  detection: z
    .strictObject({
      model: z.string().default('yunet-n').describe('Face detector, a folder of models/. Default yunet-n.'),
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
        .default(0.5)
        .describe('Faces at or above this score may begin a track, 0–1. Default 0.5.'),
      lowScoreThreshold: fraction
        .default(0.25)
        .describe('Faces at or above this score may continue a track (ByteTrack), 0–1. Default 0.25.'),
    })
    .prefault({})
    .describe('Finding faces.'),
  tracking: z
    .strictObject({
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
    })
    .prefault({})
    .describe('Following faces.'),
  classification: z
    .strictObject({
      model: z
        .string()
        .default('mask-mobilenetv2')
        .describe('Classifier, a folder of models/. Default mask-mobilenetv2.'),
      minFacePx: z
        .number()
        .min(4)
        .max(512)
        .default(16)
        .describe(
          'Smallest face (shorter side of its box) that is judged, pixels of the analysed picture. Default 16.',
        ),
      minSharpness: z
        .number()
        .min(0)
        .default(20)
        .describe('Least variance of the Laplacian of a face that is judged. Default 20.'),
      recheckSeconds: z
        .number()
        .positive()
        .max(600)
        .default(1)
        .describe('A decided track is looked at again after this time, seconds. Default 1.'),
    })
    .prefault({})
    .describe('Judging faces.'),
  inference: z
    .strictObject({
      engine: z
        .enum(['auto', 'onnxruntime', 'tfjs'])
        .default('auto')
        .describe('What runs the models. Default auto: the fastest that this machine really has.'),
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
    })
    .prefault({})
    .describe('Running the models.'),
  server: z
    .strictObject({
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
        .array(z.string())
        .default([])
        .describe('Other origins whose pages may connect. Default: none.'),
    })
    .prefault({})
    .describe('Page, Socket.IO and metrics.'),
  store: z
    .strictObject({
      path: z
        .string()
        .default('data/maskwatch.db')
        .describe(
          'SQLite file, relative to the configuration file; `:memory:` keeps nothing. Default data/maskwatch.db.',
        ),
    })
    .prefault({})
    .describe('Where episodes are kept.'),
  logging: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('Default info.'),
      format: z
        .enum(['auto', 'json', 'pretty'])
        .default('auto')
        .describe('Default auto: pretty on a terminal, JSON elsewhere.'),
    })
    .prefault({})
    .describe('Logs go to stderr.'),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type CameraConfig = z.output<typeof cameraSchema>;
export type PolicyConfig = z.output<typeof policySchema>;
export type AnalysisConfig = z.output<typeof analysisSchema>;
export type Secret = z.output<typeof secretSchema>;
