import { expect, it } from 'vitest';
import { openPublishing } from '../../src/assemble-publishing.js';
import { demoConfig } from '../../src/demo/demo-config.js';
import { assessReadiness } from '../../src/http/readiness.js';
import { ManualClock, systemClock } from '../../src/lib/clock.js';
import { CloseStack } from '../../src/lib/close-stack.js';
import { createLog } from '../../src/observability/logging.js';
import { Metrics } from '../../src/observability/metrics.js';
import { RepeatSummary } from '../../src/observability/repeat-summary.js';
import { READY } from './socket-support.js';

it('counts every event that could not be told, and tells the log once', async () => {
  const told: string[] = [];
  const metrics = new Metrics({ version: '0.0.0-test', dropReasons: [] });
  const faults = new RepeatSummary({
    clock: new ManualClock(),
    first: (fault) => told.push(fault),
    again: () => {},
  });
  const closers = new CloseStack(() => {});
  closers.push('metrics', () => metrics.close());
  closers.push('faults', () => faults.close());
  try {
    const { bus } = await openPublishing({
      config: demoConfig({ cameras: [], credentials: { username: 'u', password: 'p' }, port: 0, rateFps: 5 }),
      ...{ clock: systemClock, metrics, faults, closers },
      log: createLog({ level: 'silent', format: 'json' }),
      readiness: () => assessReadiness(READY),
      cameras: () => [],
    });
    bus.subscribe('cameraRemoved', () => {
      throw new Error('no');
    });
    for (let n = 0; n < 3; n++) bus.publish('cameraRemoved', { cameraId: 'gate' });
    expect(told).toEqual(['an event "cameraRemoved" could not be handled']);
    expect(await metrics.text()).toContain('maskwatch_publish_failures_total{sink="socket"} 3');
  } finally {
    await closers.close();
  }
});
