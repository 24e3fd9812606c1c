import { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';
import { innerOf, objectOf } from '../../src/config/schema-keys.js';

/** One key of the configuration as the documents tell it. */
export interface DocumentedKey {
  readonly key: string;
  /** What it is, in the schema's own words. */
  readonly description: string;
  /** The same without the sentence about the default. */
  readonly meaning: string;
  /** The default in words, from the description: `5`, `the whole frame` …; `undefined` when it has none. */
  readonly defaultWords: string | undefined;
  /** The default itself; `undefined` for keys that may be left out and then have no value. */
  readonly defaultValue: unknown;
  readonly isRequired: boolean;
  /** Kind and range of the values, e.g. `number, 0 to 1`. */
  readonly values: string;
  /** The keys of the mapping, or of the items of the list, that it holds; empty for plain values. */
  readonly keys: readonly DocumentedKey[];
  readonly isList: boolean;
}

/** The top level's keys, and below each what it holds. */
export function documentedKeys(): readonly DocumentedKey[] {
  return keysOf(configSchema as unknown as z.ZodObject);
}

function keysOf(object: z.ZodObject): DocumentedKey[] {
  return Object.entries(object.shape).map(([key, value]) => {
    const schema = value as z.ZodType;
    const description = schema.description ?? '';
    const found = / ?Default:? (.*)\.$/s.exec(description);
    const inner = objectOf(schema);
    const hasDefault = schema.safeParse(undefined).success;
    return {
      key,
      description,
      meaning: description.replace(/ ?Default:? .*$/s, ''),
      defaultWords: found?.[1],
      defaultValue: hasDefault ? schema.parse(undefined) : undefined,
      isRequired: !hasDefault,
      values: inner
        ? innerOf(schema) instanceof z.ZodArray
          ? 'list'
          : 'mapping'
        : valueWords(z.toJSONSchema(innerOf(schema), { io: 'input', unrepresentable: 'any' }) as Json),
      keys: inner ? keysOf(inner) : [],
      isList: innerOf(schema) instanceof z.ZodArray,
    };
  });
}

interface Json {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Json[];
  items?: Json;
  prefixItems?: Json[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  properties?: Record<string, Json>;
}

function valueWords(json: Json): string {
  if (json.const !== undefined) return `\`${String(json.const)}\``;
  if (json.enum) return json.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (json.anyOf) return json.anyOf.map(valueWords).join(', or ');
  switch (json.type) {
    case 'integer':
      return `whole number${range(json)}${json.multipleOf ? `, a multiple of ${json.multipleOf}` : ''}`;
    case 'number':
      return `number${range(json)}`;
    case 'string':
      return 'text';
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return json.prefixItems
        ? 'pair of numbers'
        : `list of ${json.items ? valueWords(json.items) : 'values'}`;
    case 'object':
      return `\`{ ${Object.keys(json.properties ?? {}).join(', ')} }\``;
    default:
      return 'value';
  }
}

function range(json: Json): string {
  const isReal = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  const least = isReal(json.minimum) ? `${json.minimum}` : undefined;
  const most = isReal(json.maximum) ? `${json.maximum}` : undefined;
  if (json.exclusiveMinimum !== undefined)
    return `, more than ${json.exclusiveMinimum}${most === undefined ? '' : ` up to ${most}`}`;
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}`;
  if (least !== undefined) return `, ${least} or more`;
  return most === undefined ? '' : `, at most ${most}`;
}
