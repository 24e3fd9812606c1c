import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../lib/errors.js';
import type { WeightTensor } from '../export/network.js';
import type { EpochFigures } from './epoch-figures.js';

/** Everything that a training run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** What must agree for the run to go on: a hash of recipe, data and seed (see {@link runKey}). */
  readonly key: string;
  /** Finished epochs. */
  readonly epoch: number;
  readonly figures: readonly EpochFigures[];
  /** The state of every random generator of the run (`Random.state`), by a name of the recipe's. */
  readonly randomStates: Readonly<Record<string, number>>;
  /** Further state of the recipe's own, e.g. of its schedule. Must survive JSON. */
  readonly state: Readonly<Record<string, unknown>>;
  /** float32, by name: weights, the best epoch's weights, the optimiser's moments. */
  readonly tensors: ReadonlyMap<string, WeightTensor>;
}

/** "MWCP", format version, length of the JSON header; uint32, little-endian. The tensors follow the header. */
const MAGIC = 0x5043574d;
const FORMAT_VERSION = 1;
const PREFIX_BYTES = 12;

const count = z.int().nonnegative();
const figuresSchema = z.object({
  epoch: z.int().positive(),
  trainingLoss: z.number(),
  trainingAccuracy: z.number().nullable(),
  validationLoss: z.number(),
  validationAccuracy: z.number(),
  validationMacroF1: z.number().optional(),
  learningRate: z.number(),
  seconds: z.number(),
});
const headerSchema = z.object({
  key: z.string(),
  epoch: count,
  figures: z.array(figuresSchema),
  randomStates: z.record(z.string(), count),
  state: z.record(z.string(), z.unknown()),
  tensors: z.array(z.object({ name: z.string(), shape: z.array(count) })),
  payloadSha256: z.string(),
});

/** Short hash of whatever decides a run; two runs with the same key give the same model. */
export function runKey(...parts: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${JSON.stringify(part)}\n`);
  return hash.digest('hex').slice(0, 16);
}

/**
 * Writes a checkpoint whole or not at all: beside its place, onto the disk, then renamed over an older one. The
 * folder is made. Rejects with the file system's own error.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { tensors, ...rest } = checkpoint;
  const payload = [...tensors.values()].map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  const digest = createHash('sha256');
  for (const bytes of payload) digest.update(bytes);
  const header = new TextEncoder().encode(
    JSON.stringify({
      ...rest,
      tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })),
      payloadSha256: digest.digest('hex'),
    }),
  );
  const prefix = new DataView(new ArrayBuffer(PREFIX_BYTES));
  for (const [i, value] of [MAGIC, FORMAT_VERSION, header.length].entries())
    prefix.setUint32(i * 4, value, true);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  const file = await open(partial, 'w');
  try {
    for (const bytes of [new Uint8Array(prefix.buffer), header, ...payload]) await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/**
 * The checkpoint of an interrupted run, or `null` where there is none. Throws `AppError` CHECKPOINT_INVALID for a
 * damaged file or one of another format, CHECKPOINT_OTHER_RUN when its key is not `key`.
 */
export async function readCheckpoint(path: string, key: string): Promise<Checkpoint | null> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw invalid(path, 'cannot be read', error);
  });
  if (bytes === null) return null;
  if (bytes.length < PREFIX_BYTES || bytes.readUInt32LE(0) !== MAGIC) throw invalid(path, 'is no checkpoint');
  const version = bytes.readUInt32LE(4);
  if (version !== FORMAT_VERSION) throw invalid(path, `has format ${version}, expected ${FORMAT_VERSION}`);
  const payloadStart = PREFIX_BYTES + bytes.readUInt32LE(8);
  const { tensors: specs, payloadSha256, ...rest } = parseHeader(path, bytes, payloadStart);
  const payload = bytes.subarray(payloadStart);
  if (createHash('sha256').update(payload).digest('hex') !== payloadSha256)
    throw invalid(path, 'is damaged: its weights do not have the sha256 that it names');
  if (rest.key !== key)
    throw new AppError('CHECKPOINT_OTHER_RUN', `${path} belongs to another run`, {
      path,
      hint: 'recipe, data, seed or the model it began from have changed: delete the checkpoint to begin anew, or choose another --out',
      exitCode: 2,
    });
  const tensors = new Map<string, WeightTensor>();
  let at = 0;
  for (const { name, shape } of specs) {
    const length = shape.reduce((product, side) => product * side, 1);
    // A copy: the file's bytes need not lie at a multiple of four.
    const data = new Float32Array(length);
    new Uint8Array(data.buffer).set(payload.subarray(at, at + length * 4));
    tensors.set(name, { shape, data });
    at += length * 4;
  }
  if (at !== payload.length) throw invalid(path, 'is damaged: its weights do not fill it');
  const figures = rest.figures.map(({ validationMacroF1, ...others }) =>
    validationMacroF1 === undefined ? others : { ...others, validationMacroF1 },
  );
  return { ...rest, figures, tensors };
}

function parseHeader(path: string, bytes: Buffer, end: number): z.infer<typeof headerSchema> {
  try {
    return headerSchema.parse(JSON.parse(bytes.toString('utf8', PREFIX_BYTES, end)));
  } catch (cause) {
    throw invalid(path, 'is damaged: its header cannot be read', cause);
  }
}

function invalid(path: string, why: string, cause?: unknown): AppError {
  return new AppError('CHECKPOINT_INVALID', `checkpoint ${path} ${why}`, {
    cause,
    path,
    hint: 'delete it to begin anew',
  });
}
