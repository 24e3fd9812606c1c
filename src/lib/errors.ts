/**
 * Every error that leaves a module has a stable code `AREA_REASON` (all are listed in docs/errors.md), says
 * what is wrong and, in `hint`, what to do. Messages never carry credentials.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly path: string | undefined;
  /** Exit code of a command that ends with this error (CONTRACTS: 1 failed, 2 usage or configuration, 3 missing). */
  readonly exitCode: 1 | 2 | 3;

  constructor(
    code: string,
    message: string,
    options: {
      cause?: unknown;
      retryable?: boolean;
      hint?: string | undefined;
      path?: string | undefined;
      exitCode?: 1 | 2 | 3;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
    this.path = options.path;
    this.exitCode = options.exitCode ?? 1;
  }

  toJSON(): { code: string; message: string; path?: string; hint?: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.path === undefined ? {} : { path: this.path }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** The plain shape in which errors cross threads and sockets: custom classes do not survive the way. */
export interface ErrorShape {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function toErrorShape(error: unknown, fallbackCode = 'INTERNAL_ERROR'): ErrorShape {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, retryable: error.retryable };
  return {
    code: fallbackCode,
    message: messageOf(error),
    retryable: false,
  };
}
