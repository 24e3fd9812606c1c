import { z } from 'zod';

type Override<T extends z.ZodType> = z.ZodOptional<
  T extends z.ZodDefault<infer Inner extends z.ZodType> ? Inner : T
>;
type OverrideShape<S extends z.core.$ZodShape> = {
  [K in keyof S]: S[K] extends z.ZodType ? Override<S[K]> : never;
};

/**
 * The schema of a section in which every key may be left out and none is filled in. (zod's `.partial()` would
 * still fill in the defaults, and a camera that overrides one key would lose the top level's others.)
 */
export function overridesOf<S extends z.core.$ZodShape>(
  schema: z.ZodObject<S, z.core.$strict>,
): z.ZodObject<OverrideShape<S>, z.core.$strict> {
  const shape = Object.fromEntries(
    Object.entries(schema.shape).map(([key, value]) => {
      const full = value as unknown as z.ZodType;
      const inner = full instanceof z.ZodDefault ? (full.unwrap() as z.ZodType) : full;
      const description = full.description?.replace(/ Default( |:).*$/s, '');
      return [key, description === undefined ? inner.optional() : inner.optional().describe(description)];
    }),
  );
  return z.strictObject(shape) as unknown as z.ZodObject<OverrideShape<S>, z.core.$strict>;
}

/** `base` with the keys that `overrides` sets; both are left as they are. */
export function merge<T extends object>(
  base: T,
  overrides: { [K in keyof T]?: T[K] | undefined } | undefined,
): T {
  const set = Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(set) };
}
