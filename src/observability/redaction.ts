/*
 * What must never be read in a log: credentials in addresses, tokens, and the values of fields whose name says
 * that they are secret. Applied to everything that is logged, whoever logs it.
 */

const MASK = '***';
/** scheme://user:password@host; the user part goes too, cameras often carry a serial number there. */
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi;
/** A password may hold "/", "?" or quotes unescaped, as ffmpeg repeats it: then all up to the last "@" goes. */
const URL_CREDENTIALS_LOOSE = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s<>@]*:[^\s<>]*@/gi;
const JSON_WEB_TOKEN = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}\b/g;
/** In a line of JSON. */
const SECRET_JSON_FIELD =
  /"(password|passwd|pwd|secret|token|authorization|cookie|api_?key|access_?token|auth)":"(?:[^"\\]|\\.)*"/gi;
const AUTHORIZATION = /\b(Bearer|Basic|Digest)\s+[\w+/=.~-]{8,}/gi;
const KEY_VALUE =
  /\b(password|passwd|pwd|secret|token|api[_-]?key)(\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;"']+)/gi;
const SECRET_FIELD = /^(password|passwd|pwd|secret|token|authorization|cookie|api_?key|access_?token|auth)$/i;

const MAX_DEPTH = 6;

/** `text` without credentials. */
export function redactText(text: string): string {
  return redactWords(text.replace(URL_CREDENTIALS_LOOSE, `$1${MASK}@`));
}

/**
 * A finished line of JSON without credentials: the last guard, behind {@link redact}. It never joins two fields,
 * so it does not see a password with a quote in it.
 */
export function redactLine(line: string): string {
  return redactWords(line.replace(SECRET_JSON_FIELD, `"$1":"${MASK}"`));
}

function redactWords(text: string): string {
  return text
    .replace(URL_CREDENTIALS, `$1${MASK}@`)
    .replace(JSON_WEB_TOKEN, MASK)
    .replace(AUTHORIZATION, `$1 ${MASK}`)
    .replace(KEY_VALUE, `$1$2${MASK}`);
}

/**
 * A copy of `value` fit for a log: strings redacted, secret fields masked, errors reduced to name, code,
 * message, stack and cause. Deeper than six levels, and cycles, become "[…]". The input is not changed.
 */
export function redact(value: unknown): unknown {
  return redactAt(value, 0);
}

function redactAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[…]';
  if (value instanceof Date) return value;
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactAt(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const isSecret = SECRET_FIELD.test(key) && field !== undefined && field !== null;
    copy[key] = isSecret ? MASK : redactAt(field, depth + 1);
  }
  return copy;
}

function redactError(error: Error, depth: number): unknown {
  const { code, hint, path } = error as Error & { code?: unknown; hint?: unknown; path?: unknown };
  return {
    type: error.name,
    ...(code === undefined ? {} : { code: redactAt(code, depth + 1) }),
    message: redactText(error.message),
    ...(path === undefined ? {} : { path: redactAt(path, depth + 1) }),
    ...(hint === undefined ? {} : { hint: redactAt(hint, depth + 1) }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redactAt(error.cause, depth + 1) }),
  };
}
