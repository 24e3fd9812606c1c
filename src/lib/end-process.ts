/**
 * Ends this process after `delayMs` if it has not ended by itself, whatever its threads do: `process.exit` alone
 * waits for a thread that hangs in native code. So, after every other exit handler, it kills itself (SIGKILL).
 */
export function endProcessSoon(delayMs: number): void {
  setTimeout(() => {
    process.once('exit', () => process.kill(process.pid, 'SIGKILL'));
    process.exit();
  }, delayMs).unref();
}
