import type { App } from '../app.js';
import { printJson } from './output.js';

/**
 * Says on stdout that the service answers (`{"event":"ready",…}`) and waits for the signal. A service that was
 * stopped while it started is not called ready.
 */
export async function untilStopped(app: App, signal: AbortSignal, onReady?: () => void): Promise<void> {
  if (signal.aborted) return;
  printJson({ event: 'ready', url: app.url, cameras: app.cameraCount, pid: process.pid });
  onReady?.();
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
