import { setMaxListeners } from 'node:events';
import type { Clock } from '../lib/clock.js';
import type { FrameSink, FrameSource, RunEnd } from './frame-source.js';
import { FrameWatchdog } from './frame-watchdog.js';

export interface WatchedRunOptions {
  readonly source: FrameSource;
  readonly clock: Clock;
  /** Until the first frame, and from one to the next, ms. */
  readonly timeouts: { readonly connectMs: number; readonly stallMs: number };
  /** Gets what the source brings; a frame that comes after the end was asked for is dropped as `closing`. */
  readonly sink: FrameSink;
  /** Called for every decoded picture until the end was asked for, before the sink gets it. */
  readonly onPicture: (isFirst: boolean) => void;
  /** Called once when the watchdog gives the run up, before the source is told. */
  readonly onExpired?: (end: RunEnd) => void;
}

/**
 * One run of a source, given up when no decoded picture comes in time: neither ffmpeg's exit code nor its time-outs can
 * be trusted. Resolves when nothing of the run is left.
 *
 * @returns why it ended (the watchdog's reason where that ended it), and from its first picture to its last, ms.
 */
export async function runWatched(
  options: WatchedRunOptions,
  signal: AbortSignal,
): Promise<{ end: RunEnd; liveMs: number }> {
  const { source, clock, timeouts, sink, onPicture, onExpired } = options;
  // Not AbortSignal.any: a service's signal lives for weeks, and Node 20 keeps what was derived from it.
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const onAbort = () => abort.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();

  let givenUp: RunEnd | null = null;
  const watchdog = new FrameWatchdog({
    clock,
    timeouts,
    onExpired: (end) => {
      if (abort.signal.aborted) return;
      givenUp = end;
      onExpired?.(end);
      abort.abort(end);
    },
  });
  const notePicture = () => {
    const isFirst = !watchdog.hasSeenFrame;
    watchdog.noteFrame();
    onPicture(isFirst);
  };
  try {
    const end = await source.run(
      {
        streamInfo: (info) => sink.streamInfo?.(info),
        damaged: (share) => sink.damaged?.(share),
        frame: (frame) => {
          if (abort.signal.aborted) {
            frame.release();
            sink.dropped('closing');
            return;
          }
          notePicture();
          sink.frame(frame);
        },
        dropped: (reason) => {
          // Decoded all the same: a slow analysis must not look like a dead camera.
          if (!abort.signal.aborted) notePicture();
          sink.dropped(reason);
        },
      },
      abort.signal,
    );
    return { end: givenUp ?? end, liveMs: watchdog.liveMs };
  } finally {
    watchdog[Symbol.dispose]();
    signal.removeEventListener('abort', onAbort);
  }
}
