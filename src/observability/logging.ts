import { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { redact, redactLine, redactText } from './redaction.js';

export type Log = Logger;

export interface LoggingOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty where stderr is a terminal, JSON elsewhere. */
  format: 'auto' | 'json' | 'pretty';
  /** Where lines go; default stderr. For tests. */
  destination?: DestinationStream;
}

/**
 * The root logger. One JSON object a line (or plain text on a terminal) to stderr, because stdout belongs to a
 * command's results. Written synchronously: the last lines before a crash are the ones that matter, and there
 * are few. Everything passes {@link redact}.
 */
export function createLog(options: LoggingOptions): Log {
  const usePretty =
    options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true);
  const plain = options.destination ?? pino.destination({ dest: 2, sync: true });
  const destination = usePretty
    ? pretty({
        destination: options.destination === undefined ? 2 : toWritable(options.destination),
        sync: true,
        colorize: process.stderr.isTTY === true,
        ignore: 'pid,hostname',
        translateTime: 'HH:MM:ss.l',
      })
    : plain;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      hooks: {
        // Fields of children, messages taken from errors and interpolated objects pass none of the others.
        streamWrite: redactLine,
        logMethod(args, method) {
          const safe = args.map((arg) => (typeof arg === 'string' ? redactText(arg) : arg));
          method.apply(this, safe as typeof args);
        },
      },
      serializers: { err: (error: unknown) => redact(error), error: (error: unknown) => redact(error) },
    },
    destination,
  );
}

/** The logger of one camera: every line carries `cameraId`. */
export function cameraLog(log: Log, cameraId: string): Log {
  return log.child({ cameraId });
}

function toWritable(destination: DestinationStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      destination.write(String(chunk));
      done();
    },
  });
}
