import { z } from 'zod';
import type { KnownKeys } from './problems.js';
import { configSchema } from './schema.js';

/** A key's schema without what only fills in or allows absence. */
export function innerOf(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return innerOf(schema.unwrap() as z.ZodType);
  return schema;
}

/** The mapping behind a key: its own, or that of the items of a list; `undefined` for plain values. */
export function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  const inner = innerOf(schema);
  if (inner instanceof z.ZodObject) return inner;
  if (inner instanceof z.ZodArray) return objectOf(inner.element as z.ZodType);
  return undefined;
}

/** Every mapping of the schema by its path (`''`, `cameras`, `cameras.policy` …) with the keys in it. */
export function knownKeys(): KnownKeys {
  const known = new Map<string, string[]>();
  const visit = (object: z.ZodObject, path: string) => {
    known.set(path, Object.keys(object.shape));
    for (const [key, value] of Object.entries(object.shape)) {
      const inner = objectOf(value as z.ZodType);
      if (inner) visit(inner, path === '' ? key : `${path}.${key}`);
    }
  };
  visit(configSchema as unknown as z.ZodObject, '');
  return known;
}
