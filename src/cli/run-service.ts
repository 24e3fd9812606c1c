import { App } from '../app.js';
import type { LoadedConfig } from '../config/load-config.js';
import { createLog } from '../observability/logging.js';
import { withSignals } from './signals.js';
import { untilStopped } from './until-stopped.js';

/** Runs the service until a signal comes; prints the line of JSON that says that it is ready. */
export async function runService(config: LoadedConfig): Promise<void> {
  const log = createLog(config.logging);
  await withSignals(async (signal) => {
    const app = await App.open({ config, log });
    try {
      await untilStopped(app, signal);
      log.info({}, 'stopping');
    } finally {
      await app.close();
    }
    log.info({}, 'stopped');
  });
}
