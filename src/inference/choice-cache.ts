import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { cacheDir } from '../lib/cache-dir.js';

const figures = z.strictObject({
  engine: z.enum(['onnxruntime', 'tfjs']),
  /** As it was asked for. */
  device: z.enum(['auto', 'cpu', 'cuda', 'tensorrt', 'wasm']),
  /** What it ran on, e.g. `tensorflow`. */
  ranOn: z.string(),
  version: z.string(),
  detectMs: z.number().positive(),
  /** Of the best batch. */
  msPerCrop: z.number().positive(),
  batchSize: z.int().positive(),
});
/** What was measured of one engine. */
export type EngineFigures = z.infer<typeof figures>;

const refusal = z.strictObject({ engine: z.string(), device: z.string(), reason: z.string() });
export type EngineRefusal = z.infer<typeof refusal>;

const measurement = z.strictObject({
  measuredAt: z.string(),
  /** Fastest first. */
  figures: z.array(figures).min(1),
  refusals: z.array(refusal),
});
export type EngineMeasurement = z.infer<typeof measurement>;

const file = z.strictObject({ formatVersion: z.literal(1), measurements: z.record(z.string(), measurement) });

/** Measurements kept at the most; the oldest go first. */
const MAX_ENTRIES = 64;

export function defaultCacheFile(): string {
  return join(cacheDir(), 'engines.json');
}

/** What is remembered under a key. A file that is missing, cannot be read or is damaged remembers nothing. */
export async function recall(path: string, key: string): Promise<EngineMeasurement | null> {
  return (await readAll(path))[key] ?? null;
}

/** How many measurements the file holds; null when there is no file or it cannot be used. */
export async function countRemembered(path: string): Promise<number | null> {
  try {
    return Object.keys(file.parse(JSON.parse(await readFile(path, 'utf8'))).measurements).length;
  } catch {
    return null;
  }
}

/** Adds a measurement, in one step. Returns why it could not, which is no reason to stop; null when it could. */
export async function remember(path: string, key: string, found: EngineMeasurement): Promise<string | null> {
  const fresh = `${path}.${process.pid}`;
  try {
    const entries = Object.entries({ ...(await readAll(path)), [key]: found })
      .sort(([, a], [, b]) => b.measuredAt.localeCompare(a.measuredAt))
      .slice(0, MAX_ENTRIES);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(
      fresh,
      JSON.stringify({ formatVersion: 1, measurements: Object.fromEntries(entries) }, null, 1),
    );
    await rename(fresh, path);
    return null;
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    return error instanceof Error ? error.message : String(error);
  }
}

async function readAll(path: string): Promise<Record<string, EngineMeasurement>> {
  try {
    return file.parse(JSON.parse(await readFile(path, 'utf8'))).measurements;
  } catch {
    return {};
  }
}
