import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Box } from '../../domain/box.js';
import { AppError } from '../../lib/errors.js';
import { modelsDir } from '../../lib/package-paths.js';

const excludeSchema = z.strictObject({
  formatVersion: z.literal(1),
  about: z.string(),
  /** Regions where somebody saw a face that neither labels, corrections nor the detector know. */
  excluded: z.array(
    z.strictObject({
      hash: z.string().regex(/^[0-9a-f]{16}$/, 'must be the first 16 hexadecimal digits of the sha256'),
      region: z.strictObject({
        x: z.number(),
        y: z.number(),
        width: z.number().positive(),
        height: z.number().positive(),
      }),
      why: z.string().max(200).optional(),
    }),
  ),
});
export type ExcludeFile = z.infer<typeof excludeSchema>;

/** The list that ships. */
export function shippedExcludeList(): string {
  return join(modelsDir(), 'data', 'faceless-exclude.json');
}

/**
 * Regions, in pixels of the source, that no picture of the set may touch, by the source's hash. Throws `AppError`
 * DATA_NOT_FOUND when the file cannot be read, DATA_INVALID when it has another form.
 */
export async function readExcludeList(path: string): Promise<ReadonlyMap<string, readonly Box[]>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
  });
  try {
    const regions = new Map<string, Box[]>();
    for (const { hash, region } of excludeSchema.parse(JSON.parse(text)).excluded)
      regions.set(hash, [...(regions.get(hash) ?? []), region]);
    return regions;
  } catch (cause) {
    throw new AppError('DATA_INVALID', `${path} is no list of excluded regions`, {
      cause,
      path,
      exitCode: 2,
    });
  }
}
