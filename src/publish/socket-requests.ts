import { z } from 'zod';
import { AppError, toErrorShape } from '../lib/errors.js';
import type { ErrorReply } from './events.js';

/* What clients may ask. Everything that comes over the wire passes one of these. */

const cameraIds = z.union([z.literal('all'), z.array(z.string().min(1).max(64)).max(256)], {
  error: 'must be "all" or a list of at most 256 camera ids',
});
const idWords = 'must be the id of an episode';
const episodeId = z.string({ error: idWords }).min(1, idWords).max(128, idWords);
const version = wholeNumber(1);

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  const words = `must be a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`;
  return z.int({ error: words }).min(min, words).max(max, words);
}

const reasonWords = 'must say why, in 1 to 500 characters';

export const requestSchemas = {
  subscribe: z.object({ cameras: cameraIds, pictures: z.boolean().optional() }),
  unsubscribe: z.object({ cameras: cameraIds }),
  episodesSince: z.object({
    sequence: wholeNumber(0),
    limit: wholeNumber(1, 1000).optional(),
  }),
  acknowledge: z.object({ id: episodeId, version }),
  reject: z.object({
    id: episodeId,
    version,
    reason: z.string({ error: reasonWords }).trim().min(1, reasonWords).max(500, reasonWords),
  }),
} as const;

/** Refuses whatever is asked by a name that there is not. */
export function unknownRequest(name: string): z.ZodType {
  return z.unknown().refine(() => false, `there is no request called "${name.slice(0, 64)}"`);
}

/** A refusal that carries more than code and message. */
export class RefusedRequest extends AppError {
  readonly extra: Partial<ErrorReply>;
  constructor(code: string, message: string, extra: Partial<ErrorReply> = {}) {
    super(code, message);
    this.extra = extra;
  }
}

export interface AnswerHooks {
  /** False: too many requests; the answer is RATE_LIMITED. */
  readonly isAllowed: () => boolean;
  readonly onRefused: (code: string) => void;
  /** Something failed that is not the client's fault. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Makes a listener for one request: validates, handles, answers. Never throws, whatever a client sends: a
 * missing acknowledgement function, arguments missing or in excess, or functions in place of objects. What
 * `handle` does after its answer is sent goes into `afterAnswer`.
 */
export function answering<Schema extends z.ZodType, Result extends object>(
  schema: Schema,
  hooks: AnswerHooks,
  handle: (request: z.output<Schema>) => Promise<{ result: Result; afterAnswer?: () => void }>,
): (...args: unknown[]) => void {
  return (...args) => {
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (reply: unknown) => void) : () => undefined;
    const refuse = (code: string, message: string, extra: Partial<ErrorReply> = {}) => {
      hooks.onRefused(code);
      acknowledge({ ok: false, error: { code, message }, ...extra });
    };
    if (!hooks.isAllowed()) {
      refuse('RATE_LIMITED', 'too many requests; wait a second');
      return;
    }
    const parsed = schema.safeParse(typeof args[0] === 'function' ? undefined : args[0]);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(
        (issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`,
      );
      refuse('REQUEST_INVALID', problems.join('; '));
      return;
    }
    handle(parsed.data).then(
      ({ result, afterAnswer }) => {
        acknowledge({ ok: true, ...result });
        afterAnswer?.();
      },
      (error: unknown) => {
        if (error instanceof RefusedRequest) {
          refuse(error.code, error.message, error.extra);
          return;
        }
        hooks.onFailed(error);
        // Messages of unforeseen errors may tell of our inside; the log has them.
        const { code, message } = toErrorShape(error);
        refuse(code, error instanceof AppError ? message : 'the request failed; see the service’s log');
      },
    );
  };
}

/** Token bucket: `burst` at once, then `ratePerSecond`. Times are monotonic, ms. */
export class RateLimit {
  readonly #burst: number;
  readonly #ratePerMs: number;
  #tokens: number;
  #lastMs: number;

  constructor(options: { burst: number; ratePerSecond: number; nowMs: number }) {
    this.#burst = options.burst;
    this.#ratePerMs = options.ratePerSecond / 1000;
    this.#tokens = options.burst;
    this.#lastMs = options.nowMs;
  }

  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#lastMs) * this.#ratePerMs);
    this.#lastMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
