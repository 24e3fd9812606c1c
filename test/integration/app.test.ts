import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { App } from '../../src/app.js';
import { footageFile } from '../../src/demo/demo-cameras.js';
import { demoConfig } from '../../src/demo/demo-config.js';
import { formatMark, OWNER_VARIABLE, ourselves } from '../../src/ingest/owner-mark.js';
import { createLog } from '../../src/observability/logging.js';
import { npmFfmpeg } from '../support/ingest-clips.js';

let app: App;
afterEach(() => app.close());

/** The whole service with one camera, which is switched off. */
async function openApp(log = createLog({ level: 'silent', format: 'json' })): Promise<App> {
  const config = demoConfig({
    cameras: [{ id: 'off', name: 'Switched off', url: 'rtsp://127.0.0.1:9/off' }],
    credentials: { username: 'u', password: 'p' },
    port: 0,
    rateFps: 5,
  });
  return App.open({
    config: { ...config, cameras: config.cameras.map((camera) => ({ ...camera, enabled: false })) },
    log,
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

it.skipIf(process.platform === 'win32')('ends what an earlier life left, and says how many', async () => {
  const gone = spawn('true');
  await once(gone, 'exit');
  const [, mark] = formatMark({ ...(await ourselves()), pid: gone.pid ?? 0 }).split('=');
  const leftover = spawn('sleep', ['600'], { env: { ...process.env, [OWNER_VARIABLE]: mark } });
  const ended = once(leftover, 'exit');
  await once(leftover, 'spawn');
  const log = createLog({ level: 'silent', format: 'json' });
  const warn = vi.spyOn(log, 'warn');
  app = await openApp(log);
  expect(await ended).toEqual([null, 'SIGKILL']);
  // A test beside this one may have left others.
  const count = expect.any(Number);
  expect(warn).toHaveBeenCalledWith({ count }, 'ended ffmpeg processes that an earlier run left behind');
});

it.skipIf(process.platform === 'win32')("films with the system's ffmpeg what only that can", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maskwatch-app-'));
  const path = join(folder, 'ffmpeg');
  const { path: npm, version } = await npmFfmpeg();
  // As npm's, but built with cuda, as it says; and it writes down what it is started for.
  const script = `#!/bin/sh
[ "$2" = -hwaccels ] && echo cuda && exit
echo "$*" >> '${folder}/started'
exec '${npm}' "$@"
`;
  await writeFile(path, script, { mode: 0o755 });
  vi.stubEnv('FFMPEG_PATH', undefined);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
  try {
    const config = demoConfig({
      cameras: [{ id: 'one', name: 'One', url: `file:${footageFile('corridor')}` }],
      ...{ credentials: { username: 'u', password: 'p' }, port: 0, rateFps: 5 },
    });
    const cameras = config.cameras.map((camera) => ({ ...camera, decoding: 'cuda' as const }));
    const log = createLog({ level: 'silent', format: 'json' });
    const info = vi.spyOn(log, 'info');
    app = await App.open({ config: { ...config, cameras }, log });
    const why = expect.stringMatching(/^the system's ffmpeg is taken: that of npm was built without cuda/);
    expect(info).toHaveBeenCalledWith({ path, version: expect.stringContaining(version) }, why);
    await expect
      .poll(() => readFile(join(folder, 'started'), 'utf8'), { timeout: 20_000 })
      .toContain('corridor');
    await app.close();
  } finally {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  }
});
