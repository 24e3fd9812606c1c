import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type DocumentedKey, documentedKeys } from '../../../scripts/generate/config-keys.js';
import { staleFiles } from '../../../scripts/generate.js';
import { checkConfig } from '../../../src/config/load-config.js';
import { configSchema } from '../../../src/config/schema.js';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const defaultYaml = read('config/default.yaml');
const example = read('config/cameras.example.yaml');
const secrets = { MAIN_DOOR_PASSWORD: 'x', CANTEEN_PASSWORD: 'y', MASKWATCH_SECRET: 'z'.repeat(32) };

function everyKey(keys: readonly DocumentedKey[], path = ''): [string, DocumentedKey][] {
  return keys.flatMap((key) => [
    [`${path}${key.key}`, key] as [string, DocumentedKey],
    ...everyKey(key.keys, `${path}${key.key}.`),
  ]);
}

it('generated files are up to date (npm run generate)', () => {
  expect(staleFiles()).toEqual([]);
});

describe('config/default.yaml', () => {
  it('parses to the defaults', () => {
    expect(configSchema.parse(parse(defaultYaml))).toEqual(configSchema.parse({}));
    expect(checkConfig(defaultYaml, { file: 'config/default.yaml' })).toEqual({ valid: true, cameras: 0 });
  });

  it('says every default that there is', () => {
    expect(parse(defaultYaml)).toEqual(configSchema.parse({}));
  });

  it.each(everyKey(documentedKeys()))('has and explains %s', (path, key) => {
    expect(defaultYaml).toMatch(new RegExp(`^[ #-]*${key.key}:`, 'm'));
    expect(key.meaning, `${path} has no description`).not.toBe('');
  });

  it.each(everyKey(documentedKeys()).filter(([path]) => !path.startsWith('cameras.')))(
    'tells the true default of %s',
    (_path, key) => {
      if (['number', 'string', 'boolean'].includes(typeof key.defaultValue))
        expect(key.defaultWords?.split(/[:,] /)[0]).toBe(String(key.defaultValue));
    },
  );
});

describe('config/cameras.example.yaml', () => {
  it('is valid, and still with its server section switched on', () => {
    expect(checkConfig(example, { file: 'x.yaml', env: secrets })).toEqual({ valid: true, cameras: 3 });
    const server = example.slice(example.indexOf('# server:')).replace(/^# ?/gm, '');
    expect(checkConfig(`${example}${server}`, { file: 'x.yaml', env: secrets })).toEqual({
      valid: true,
      cameras: 3,
    });
  });
});

describe('config/maskwatch.schema.json', () => {
  const validate = new Ajv({ allErrors: true }).compile(JSON.parse(read('config/maskwatch.schema.json')));

  it('takes the example and the defaults', () => {
    expect(validate(parse(example)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate(parse(defaultYaml)), JSON.stringify(validate.errors)).toBe(true);
  });

  it('refuses unknown keys, wrong kinds and values out of range', () => {
    expect(validate({ polcy: {} })).toBe(false);
    expect(validate({ cameras: [{ id: 'a', url: 'rtsp://h/1', policy: { openTreshold: 1 } }] })).toBe(false);
    expect(validate({ server: { port: '8080' } })).toBe(false);
    expect(validate({ analysis: { rateFps: 0 } })).toBe(false);
    expect(validate({ cameras: [{ id: 'a' }] })).toBe(false);
  });
});
