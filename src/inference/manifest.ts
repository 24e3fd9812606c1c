import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../lib/errors.js';

/**
 * What stands in `models/NAME/manifest.json`. Every model takes uint8 RGB pictures and does everything else
 * (cast, normalisation, softmax, temperature) inside its graph, so that the engines cannot differ in it.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

/** A file of the model's folder, named relative to it. */
const fileEntry = z.strictObject({
  file: z
    .string()
    .min(1)
    .refine((file) => !isAbsolute(file) && !file.split(/[\\/]/).includes('..'), 'must stay in the folder'),
  sha256,
  sizeBytes: z.int().positive(),
});
export type ModelFile = z.infer<typeof fileEntry>;

/** A picture's side: a fixed number of pixels, or null when it may be any multiple of `multipleOf`. */
const side = z.int().positive().nullable();

const inputSchema = z.strictObject({
  name: z.string().min(1),
  /** Batch × height × width × 3; the batch is always dynamic. */
  layout: z.literal('NHWC'),
  type: z.literal('uint8'),
  colour: z.literal('rgb'),
  heightPx: side,
  widthPx: side,
  multipleOf: z.int().positive().optional(),
});

const outputSchema = z.strictObject({
  name: z.string().min(1),
  /** The first dimension is the batch. null = depends on the input. */
  shape: z.array(z.int().positive().nullable()).min(1),
  meaning: z.string().min(1),
  /** Of a detector: pixels of the input between neighbouring cells of this output. */
  stride: z.int().positive().optional(),
});

/** When a crop is looked at again, and the margin of the wider crop. */
export const secondLookSchema = z.strictObject({
  below: z.number().gt(0).max(1),
  marginRatio: z.number().min(0).max(2),
});

const closeUpSchema = z
  .strictObject({
    /** Probabilities between which detector and classifier look again. */
    from: z.number().min(0).max(1),
    to: z.number().min(0).max(1),
    /** Side of the close-up, pixels, and the room around the box in it. */
    sizePx: z.int().min(32).max(320),
    marginRatio: z.number().min(0).max(8),
    detection: z.number(),
    crop: z.number(),
    closeUp: z.number(),
    /** Of the output `face` for the crop with `crop.contextMarginRatio`; absent: that crop is not looked at. */
    context: z.number().optional(),
    bias: z.number(),
  })
  .refine(({ from, to }) => from < to, 'from must be below to');

export const faceWeightsSchema = z.strictObject({
  detector: z.string().min(1),
  detection: z.number(),
  crop: z.number(),
  bias: z.number(),
  /**
   * What counts instead where those three leave it open: as well the detector's score of a close-up of the box and, from a
   * classifier with `crop.contextMarginRatio`, the output `face` for the box with what is around it.
   */
  closeUp: closeUpSchema.optional(),
});

const manifestFields = z.strictObject({
  formatVersion: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'lower-case letters, digits, dots and dashes'),
  version: z.string().min(1),
  task: z.enum(['face-detection', 'mask-classification', 'image-features']),
  description: z.string().min(1),
  /** SPDX identifier. */
  license: z.string().min(1),
  /** Where weights and data come from, one source an entry. */
  origin: z.array(z.string().min(1)).min(1),
  input: inputSchema,
  outputs: z.array(outputSchema).min(1),
  /** Of a classifier: what the entries of the score vector stand for, in order. */
  labels: z.array(z.string().min(1)).min(2).optional(),
  /**
   * Of a classifier: which part of the picture it wants. A square around the centre of the face box with
   * side = max(width, height) × (1 + marginRatio), scaled to the input's size; what lies outside the picture is
   * filled by repeating the edge (`extractCrop` of src/crops).
   */
  crop: z
    .strictObject({
      marginRatio: z.number().min(0).max(2),
      square: z.literal(true),
      /** Trained on whole pictures of one person, stretched to the input: `evaluate --crops` gives it those. */
      portraits: z.literal('whole').optional(),
      /**
       * A head that leans by at least so many degrees, by the detector's landmarks, is turned upright about the middle
       * of the box. Absent: heads are taken as they are.
       */
      uprightFromDegrees: z.number().min(0).max(180).optional(),
      /**
       * A crop whose highest score is lower than `below` is looked at three times more: mirrored, and with
       * `marginRatio` around the box, as it is and mirrored; what counts is the mean of the four.
       */
      secondLook: secondLookSchema.optional(),
      /**
       * Where it is open whether a box shows a face and `faceWeights.closeUp.context` weighs it, the output `face` is asked
       * again for a crop with this margin: what is around the box may tell. Its other scores do not count there.
       */
      contextMarginRatio: z.number().gt(0).max(4).optional(),
    })
    .optional(),
  /**
   * Of a classifier with the output `face`: weights with which that output and the score of the named detector make
   * the probability of a face (`faceProbability` of src/inference). With another detector the output counts alone.
   */
  faceWeights: faceWeightsSchema.optional(),
  /** Divisor of the logits before softmax, already inside the graph; for information. */
  temperature: z.number().positive().optional(),
  forms: z.strictObject({
    onnx: fileEntry,
    /** `file` is TensorFlow.js's model.json; `files` lists it and every weight file. */
    tfjs: z.strictObject({ file: z.string().min(1), files: z.array(fileEntry).min(2) }),
  }),
  /** Counts and measured figures, free in form. */
  training: z.record(z.string(), z.unknown()).optional(),
});
export const manifestSchema = manifestFields.refine(
  ({ crop, faceWeights }) =>
    faceWeights?.closeUp?.context === undefined || crop?.contextMarginRatio !== undefined,
  {
    path: ['crop', 'contextMarginRatio'],
    message:
      'must say how much of what is around the box is looked at, since faceWeights.closeUp.context weighs it',
  },
);
export type ModelManifest = z.infer<typeof manifestSchema>;

/** What is wrong with one file of a model's folder. */
export interface ManifestProblem {
  readonly file: string;
  readonly problem: 'missing' | 'size' | 'sha256';
  readonly message: string;
}

/**
 * Reads and checks `manifest.json` of a model's folder; the files that it names are not looked at.
 * Throws `AppError` MODEL_NOT_FOUND (exit code 3) when there is none, MODEL_INVALID when it breaks the schema.
 */
export async function readManifest(modelDir: string): Promise<ModelManifest> {
  const path = join(modelDir, 'manifest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('MODEL_NOT_FOUND', `no model in ${modelDir}: ${path} cannot be read`, {
      cause,
      path,
      hint: 'maskwatch models list shows the models that are there',
      exitCode: 3,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('MODEL_INVALID', `${path} is not JSON`, { cause, path });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`,
    );
    throw new AppError('MODEL_INVALID', `${path}: ${problems.join('; ')}`, { cause: parsed.error, path });
  }
  return parsed.data;
}

/**
 * Compares every file that the manifest names with its size and sha256. All problems at once, in the
 * manifest's order; empty when the folder is whole. Throws as {@link readManifest} does.
 */
export async function verifyManifest(
  modelDir: string,
): Promise<{ manifest: ModelManifest; problems: readonly ManifestProblem[] }> {
  const manifest = await readManifest(modelDir);
  const problems: ManifestProblem[] = [];
  for (const entry of [manifest.forms.onnx, ...manifest.forms.tfjs.files]) {
    const problem = await checkFile(modelDir, entry);
    if (problem) problems.push(problem);
  }
  return { manifest, problems };
}

async function checkFile(modelDir: string, entry: ModelFile): Promise<ManifestProblem | undefined> {
  const { file } = entry;
  const path = join(modelDir, file);
  let sizeBytes: number;
  try {
    sizeBytes = (await stat(path)).size;
  } catch {
    return { file, problem: 'missing', message: `${file} is missing` };
  }
  if (sizeBytes !== entry.sizeBytes)
    return { file, problem: 'size', message: `${file} has ${sizeBytes} bytes, expected ${entry.sizeBytes}` };
  const found = sha256Of(await readFile(path));
  if (found !== entry.sha256)
    return { file, problem: 'sha256', message: `${file} has sha256 ${found}, expected ${entry.sha256}` };
  return undefined;
}

/** Lower-case hexadecimal sha256, as manifests carry it. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
