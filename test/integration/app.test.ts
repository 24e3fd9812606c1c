import { afterEach, expect, it } from 'vitest';
import { App } from '../../src/app.js';
import { demoConfig } from '../../src/demo/demo-config.js';
import { createLog } from '../../src/observability/logging.js';

let app: App;
afterEach(() => app.close());

/** The whole service with one camera, which is switched off. */
async function openApp(): Promise<App> {
  const config = demoConfig({
    cameras: [{ id: 'off', name: 'Switched off', url: 'rtsp://127.0.0.1:9/off' }],
    credentials: { username: 'u', password: 'p' },
    port: 0,
    rateFps: 5,
  });
  return App.open({
    config: { ...config, cameras: config.cameras.map((camera) => ({ ...camera, enabled: false })) },
    log: createLog({ level: 'silent', format: 'json' }),
  });
}

const metrics = async () => (await (await fetch(`${app.url}/metrics`)).text()).split('\n');

it('has a camera that is switched off in the metrics, as disabled', async () => {
  app = await openApp();
  const lines = await metrics();
  expect(lines).toContain('maskwatch_camera_state{camera="off",state="disabled"} 1');
  expect(lines).toContain('maskwatch_camera_state{camera="off",state="live"} 0');
  expect(lines).toContain('maskwatch_frames_analysed_total{camera="off"} 0');
});

it('is ready when no camera is to be watched, until it is closed', async () => {
  app = await openApp();
  expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  expect(await metrics()).toContain('maskwatch_ready 1');
  const { url } = app;
  await app.close();
  await expect(fetch(`${url}/readyz`)).rejects.toThrow();
});

it('names every queue with its bound', async () => {
  app = await openApp();
  const lines = await metrics();
  for (const queue of ['inference', 'crops', 'journal']) {
    expect(lines).toContain(`maskwatch_queue_dropped_total{queue="${queue}"} 0`);
    expect(lines.some((line) => line.startsWith(`maskwatch_queue_capacity_items{queue="${queue}"}`))).toBe(
      true,
    );
  }
});
