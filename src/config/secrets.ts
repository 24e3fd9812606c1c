import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Secret } from './schema.js';

const SHOWN = '[secret]';

/** A password or key. Printed, logged, inspected or made into JSON it says `[secret]`; ask for it by `reveal()`. */
export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}

/** Where secrets are looked for. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder against which `{file: PATH}` is resolved. */
  readonly baseDir: string;
}

export type SecretResult =
  | { readonly ok: true; readonly value: SecretValue }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** Finds a secret. A variable that is set to nothing, and an empty file, count as missing. */
export function resolveSecret(secret: Secret, sources: SecretSources): SecretResult {
  if (typeof secret === 'string') return { ok: true, value: new SecretValue(secret) };
  if ('env' in secret) {
    const value = sources.env[secret.env];
    if (value) return { ok: true, value: new SecretValue(value) };
    return {
      ok: false,
      message: `the environment variable ${secret.env} is ${value === '' ? 'empty' : 'not set'}`,
      hint: `set ${secret.env} where maskwatch is started`,
    };
  }
  const file = resolve(sources.baseDir, secret.file);
  try {
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (value) return { ok: true, value: new SecretValue(value) };
    return { ok: false, message: `the secret file ${file} is empty`, hint: 'write the secret into it' };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    return {
      ok: false,
      message: `the secret file ${file} ${reason}`,
      hint: 'a relative path starts at the folder of the configuration file',
    };
  }
}
