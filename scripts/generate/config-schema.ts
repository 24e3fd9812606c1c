import { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';

/** JSON Schema of the configuration file, for editors (draft 7: what their YAML support reads). */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      // zod's bounds of a safe integer say nothing to a reader.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      // A key without a value counts as left out (see parse-yaml.ts); `default` is enough of a hint.
    },
  });
  return `${JSON.stringify({ title: 'Maskwatch configuration', ...schema }, null, 2)}\n`;
}
