import { AppError } from '../lib/errors.js';

type StoreErrorCode = 'STORE_OPEN_FAILED' | 'STORE_WRITE_FAILED' | 'STORE_READ_FAILED';

interface Cause {
  readonly match: RegExp;
  readonly message: (path: string) => string;
  readonly hint: string;
  /** Trying again may help without anybody changing the file. */
  readonly retryable: boolean;
}

/** What SQLite and the file system say, in words that tell what to do. The first match counts. */
const CAUSES: readonly Cause[] = [
  {
    match: /SQLITE_BUSY|SQLITE_LOCKED|database is locked/,
    message: (path) => `${path} is locked by another program`,
    hint: 'Is another Maskwatch, or a backup, using the same file? Give each its own store.path.',
    retryable: true,
  },
  {
    match: /SQLITE_FULL|ENOSPC|disk is full/,
    message: (path) => `no space is left for ${path}`,
    hint: 'Free space on that disk; nothing needs to be restarted.',
    retryable: true,
  },
  {
    match: /SQLITE_NOTADB|SQLITE_CORRUPT|not a database|malformed/,
    message: (path) => `${path} is not a usable SQLite file`,
    hint: 'Move the file away (a new one is made) or put back a backup.',
    retryable: false,
  },
  {
    match: /SQLITE_READONLY|EROFS|readonly database/,
    message: (path) => `${path} cannot be written`,
    hint: 'Give the user of this service write permission on the file and on its folder.',
    retryable: true,
  },
  {
    match: /EACCES|EPERM|SQLITE_PERM|SQLITE_CANTOPEN|ENOTDIR|EEXIST|EISDIR|ENOENT|: 14"/,
    message: (path) => `${path} cannot be opened`,
    hint: 'Is it a file in a folder that the user of this service may write to? See store.path.',
    retryable: false,
  },
  {
    match: /SQLITE_IOERR|EIO/,
    message: (path) => `the disk failed under ${path}`,
    hint: 'Look at the disk and at the system’s log.',
    retryable: true,
  },
  {
    match: /connection is not open/,
    message: (path) => `${path} is closed already`,
    hint: 'The service is stopping.',
    retryable: false,
  },
];

export function storeFailure(code: StoreErrorCode, path: string, error: unknown): AppError {
  const text =
    error instanceof Error
      ? `${(error as Error & { code?: string }).code ?? ''} ${error.message}`
      : String(error);
  const cause = CAUSES.find(({ match }) => match.test(text));
  const isOpening = code === 'STORE_OPEN_FAILED';
  const what =
    code === 'STORE_WRITE_FAILED' ? 'cannot store: ' : code === 'STORE_READ_FAILED' ? 'cannot read: ' : '';
  return new AppError(code, `${what}${cause?.message(path) ?? `${path}: ${text.trim()}`}`, {
    cause: error,
    retryable: cause?.retryable ?? false,
    hint: cause?.hint,
    ...(isOpening ? { path: 'store.path', exitCode: 2 as const } : {}),
  });
}
