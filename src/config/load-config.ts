import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError } from '../lib/errors.js';
import { parseYaml } from './parse-yaml.js';
import {
  type ConfigProblem,
  describeIssues,
  formatPath,
  type KeyPath,
  type PlacedProblem,
} from './problems.js';
import { checkReferences, type LoadedConfig, resolveReferences } from './references.js';
import { checkRules } from './rules.js';
import { configSchema } from './schema.js';
import { knownKeys } from './schema-keys.js';

export type { ConfigProblem } from './problems.js';
export type { LoadedCamera, LoadedConfig } from './references.js';

export interface CheckOptions {
  /** The file that the text came from; relative paths in it start at its folder. */
  readonly file: string;
  /** Where `{env: NAME}` is looked up. Default process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export type ConfigCheck = { valid: true; cameras: number } | { valid: false; problems: ConfigProblem[] };

export type ParsedConfig =
  | { readonly ok: true; readonly config: LoadedConfig }
  | { readonly ok: false; readonly problems: ConfigProblem[] };

/** Everything that is wrong with a configuration, at once. */
export function checkConfig(text: string, options: CheckOptions): ConfigCheck {
  const parsed = parseConfig(text, options);
  return parsed.ok
    ? { valid: true, cameras: parsed.config.cameras.length }
    : { valid: false, problems: parsed.problems };
}

/** {@link checkConfig} of a file. Throws `AppError` CONFIG_NOT_FOUND or CONFIG_UNREADABLE (exit code 2). */
export async function checkConfigFile(file: string): Promise<ConfigCheck> {
  return checkConfig(await readText(file), { file });
}

/**
 * Reads a configuration file for use. Throws `AppError` (exit code 2): CONFIG_NOT_FOUND, CONFIG_UNREADABLE, or
 * CONFIG_INVALID with the first problem's path and the number of the others.
 */
export async function loadConfig(
  file: string,
  options: Pick<CheckOptions, 'env'> = {},
): Promise<LoadedConfig> {
  const parsed = parseConfig(await readText(file), { ...options, file });
  if (parsed.ok) return parsed.config;
  const [first, ...others] = parsed.problems;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  const line = first?.line === undefined ? '' : `, line ${first.line}`;
  throw new AppError('CONFIG_INVALID', `${first?.message ?? 'invalid'} (${file}${line}${more})`, {
    path: first?.path || undefined,
    hint: others.length === 0 ? first?.hint : `"maskwatch check ${file}" names every problem`,
    exitCode: 2,
  });
}

/** A text as a configuration, or everything that is wrong with it. Reads secrets; changes nothing. */
export function parseConfig(text: string, options: CheckOptions): ParsedConfig {
  const yaml = parseYaml(text);
  if (!yaml.ok) return { ok: false, problems: yaml.problems };
  const file = resolve(options.file);
  const sources = { baseDir: dirname(file), env: options.env ?? process.env };
  const parsed = configSchema.safeParse(yaml.data);
  const placed = [
    ...(parsed.success ? [] : describeIssues(parsed.error.issues, yaml.data, knownKeys())),
    ...checkRules(yaml.data, configSchema.parse({})),
    ...checkReferences(yaml.data, sources),
  ];
  if (parsed.success && placed.length === 0)
    return { ok: true, config: resolveReferences(parsed.data, file, sources) };
  return { ok: false, problems: toProblems(placed, yaml.lineOf) };
}

/** In the order of the file. */
function toProblems(placed: PlacedProblem[], lineOf: (path: KeyPath) => number | undefined): ConfigProblem[] {
  const problems = placed.map(({ path, message, hint }): ConfigProblem => {
    const line = lineOf(path);
    return {
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(line === undefined ? {} : { line }),
    };
  });
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new AppError('CONFIG_NOT_FOUND', `there is no file ${file}`, {
        cause,
        exitCode: 2,
        hint: 'config/cameras.example.yaml is a beginning',
      });
    throw new AppError('CONFIG_UNREADABLE', `${file} cannot be read${code ? ` (${code})` : ''}`, {
      cause,
      exitCode: 2,
    });
  }
}
