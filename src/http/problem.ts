import { STATUS_CODES } from 'node:http';
import { AppError } from '../lib/errors.js';

/** RFC 9457 */
export const PROBLEM_TYPE = 'application/problem+json';

export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable code of ours, see docs/errors.md. */
  readonly code: string;
  readonly hint?: string;
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  AUTH_REQUIRED: 401,
  AUTH_INVALID: 401,
  AUTH_EXPIRED: 401,
  REQUEST_INVALID: 400,
  REQUEST_ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
};

/** Problem details of an error; what we did not foresee says nothing of our inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof AppError) {
    const status = STATUS_BY_CODE[error.code] ?? 500;
    return {
      ...base(status, error.message, error.code),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
  const given = (error as { statusCode?: unknown }).statusCode;
  if (typeof given === 'number' && given >= 400 && given < 500)
    return base(given, error instanceof Error ? error.message : 'bad request', 'REQUEST_INVALID');
  return base(500, 'the request failed; see the service’s log', 'INTERNAL_ERROR');
}

function base(status: number, detail: string, code: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code };
}

/**
 * On every answer. The page loads nothing from elsewhere; pictures are blobs; `'self'` covers WebSockets of the
 * same origin too (CSP level 3).
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};
