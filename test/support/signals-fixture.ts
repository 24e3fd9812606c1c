// A command that runs until it is stopped. Arguments: "polite" returns when aborted, "stubborn" never does,
// "throws" rejects with the signal's reason, "chatty" writes lines until it is stopped.
import { guardOutput, printLine, reportError } from '../../src/cli/output.js';
import { withSignals } from '../../src/cli/signals.js';

const kind = process.argv[2];
guardOutput();

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

try {
  await withSignals(async (signal) => {
    const keepAlive = setInterval(() => {}, 1000);
    try {
      printLine('ready');
      if (kind === 'chatty') {
        const lines = setInterval(() => printLine('a line'.repeat(1000)), 1);
        await aborted(signal);
        clearInterval(lines);
        process.stderr.write('closed cleanly\n');
      } else {
        await aborted(signal);
        if (kind === 'throws') signal.throwIfAborted();
        if (kind === 'fails') throw new Error('closing failed');
        if (kind === 'stubborn') {
          printLine('closing');
          await new Promise(() => {});
        }
        printLine('closed');
      }
    } finally {
      clearInterval(keepAlive);
    }
  });
} catch (error) {
  process.exitCode = reportError(error, { json: false });
}
