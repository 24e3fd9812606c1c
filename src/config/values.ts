import { z } from 'zod';

/** Names that go into events, metrics and addresses. */
export const identifier = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use 1–63 of a–z, 0–9, "-" and "_", beginning with a letter or digit');

/** The name of a folder of models/. */
export const modelName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]*$/,
    'use lower-case letters, digits, "." and "-": the name of a folder of models/',
  );

export const fraction = z.number().min(0).max(1);

/** A secret: given in place, or better by the name of an environment variable or by a file. */
export const secretSchema = z
  .union(
    [
      z.string(),
      z.strictObject({ env: z.string().min(1).describe('Name of the environment variable that holds it.') }),
      z.strictObject({
        file: z.string().min(1).describe('Path of the file that holds it; a final newline is cut.'),
      }),
    ],
    { error: 'give text in quotes, {env: NAME} or {file: PATH}' },
  )
  .describe('A secret: text, or {env: NAME}, or {file: PATH}.');
