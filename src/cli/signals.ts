const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, EPIPE: 0 } as const;
type StopCause = keyof typeof EXIT_CODES;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The reason of the AbortSignal that {@link withSignals} hands out. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly exitCode: number;

  constructor(readonly by: StopCause) {
    super(`stopped by ${by}`);
    this.exitCode = EXIT_CODES[by];
  }
}

let current: AbortController | undefined;

/** Aborts the running command, if one runs under {@link withSignals}; tells whether there was one. */
export function abortRunning(by: StopCause): boolean {
  if (!current) return false;
  if (!current.signal.aborted) current.abort(new Stopped(by));
  return true;
}

/**
 * Runs a command with a signal that aborts on SIGINT, SIGTERM and SIGHUP. When `run` is back after that, by
 * returning or by throwing the signal's reason, the exit code is 128 plus the signal's number; any other
 * error goes on to the caller. A second signal exits at once, whatever is still open.
 */
export async function withSignals(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const onSignal = (name: (typeof SIGNALS)[number]) => {
    if (controller.signal.aborted) process.exit(EXIT_CODES[name]);
    controller.abort(new Stopped(name));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  current = controller;
  try {
    await run(controller.signal);
  } catch (error) {
    if (!stoppedBy(error)) throw error;
  } finally {
    current = undefined;
    // The listeners stay once a signal came: what still closes must not be cut off by the default action.
    if (!controller.signal.aborted) for (const name of SIGNALS) process.off(name, onSignal);
  }
  const reason: unknown = controller.signal.reason;
  if (reason instanceof Stopped) process.exitCode = reason.exitCode;
}

/** The stop behind an error: itself, the cause of an AbortError, or nothing. */
export function stoppedBy(error: unknown): Stopped | undefined {
  if (error instanceof Stopped) return error;
  if (error instanceof Error && error.cause instanceof Stopped) return error.cause;
  return undefined;
}
