import { randomBytes } from 'node:crypto';
import { App } from '../app.js';
import type { LoadedConfig } from '../config/load-config.js';
import { runChaos } from '../demo/chaos.js';
import { demoConfig } from '../demo/demo-config.js';
import { openSimulatedCameras } from '../demo/simulated-cameras.js';
import { findFfmpeg } from '../ingest/ffmpeg-binary.js';
import { systemClock } from '../lib/clock.js';
import { AppError } from '../lib/errors.js';
import { createLog } from '../observability/logging.js';
import { type DemoClipOptions, demoCameras, demoChaosClips } from './demo-clips.js';
import { note } from './output.js';
import { withSignals } from './signals.js';
import { untilStopped } from './until-stopped.js';

export interface DemoOptions extends DemoClipOptions {
  readonly port: number;
  /** The computer's own camera: its name, or `true` for the first. */
  readonly webcam?: string | true;
  readonly chaos?: true;
  readonly chaosEvery: number;
  readonly chaosSeed: number;
}

/** More pictures a second than a building needs: the page shows the analysed frames, and ten look smooth. */
const DEMO_RATE_FPS = 10;

/** Simulated cameras, or the computer's own, and the service that watches them, until a signal comes. */
export async function runDemo(options: DemoOptions): Promise<void> {
  if (options.webcam !== undefined && (options.video || options.chaos))
    throw new AppError('CLI_USAGE', '--webcam goes with neither --video nor --chaos', { exitCode: 2 });
  await withSignals((signal) =>
    options.webcam === undefined ? simulate(options, signal) : film(options, signal),
  );
}

async function simulate(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { path: ffmpegPath } = await findFfmpeg();
  const cameras = await demoCameras(options, { ffmpegPath, signal });
  if (options.chaos && cameras.length < 2)
    throw new AppError('CLI_USAGE', '--chaos needs two cameras: one of them always stays well', {
      exitCode: 2,
    });
  const clips = options.chaos ? await demoChaosClips(cameras, { ffmpegPath, signal }) : [];
  note(`maskwatch: starting ${cameras.length} simulated RTSP cameras …`);
  // Like a building's cameras they ask for a user and a password, new ones each time.
  const credentials = { username: 'demo', password: `p@ss:/${randomBytes(6).toString('hex')}#%` };
  const simulated = await openSimulatedCameras({ cameras, ffmpegPath, credentials });
  const urls = simulated.cameras.map(({ url }) => url).join(' ');
  note(`maskwatch: ${urls} (user ${credentials.username}, password ${credentials.password})`);
  const isOver = new AbortController();
  let chaos: Promise<void> | undefined;
  try {
    await watch(
      demoConfig({ cameras: simulated.cameras, credentials, ...demoSettings(options) }),
      signal,
      () => {
        if (!options.chaos) return;
        const { chaosEvery, chaosSeed: seed } = options;
        note(`chaos: seed ${seed}, a fault every ${chaosEvery} s or so`);
        const server = simulated.server;
        const say = (line: string) => note(`chaos: ${line}`);
        chaos = runChaos(
          { ...{ server, cameras, clips, seed, say }, everyMs: chaosEvery * 1000, clock: systemClock },
          isOver.signal,
        );
      },
    );
  } finally {
    isOver.abort();
    await chaos;
    await simulated.close();
  }
}

/** The computer's own camera, through the same path. */
async function film(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const device = options.webcam === true ? firstDevice() : options.webcam;
  const cameras = [{ id: 'webcam', name: 'Webcam', url: `device:${device}` }];
  await watch(demoConfig({ cameras, ...demoSettings(options) }), signal, () => {});
}

function firstDevice(): string {
  if (process.platform === 'linux') return '/dev/video0';
  if (process.platform === 'darwin') return '0';
  // DirectShow knows cameras by their names alone.
  throw new AppError('CLI_USAGE', 'say which camera: --webcam "video=NAME"', {
    exitCode: 2,
    hint: 'ffmpeg -list_devices true -f dshow -i dummy names them',
  });
}

function demoSettings({ port }: DemoOptions) {
  return { port, rateFps: DEMO_RATE_FPS };
}

async function watch(config: LoadedConfig, signal: AbortSignal, onReady: () => void): Promise<void> {
  note('maskwatch: loading the models …');
  const app = await App.open({ config, log: createLog(config.logging) });
  try {
    await untilStopped(app, signal, () => {
      note(`maskwatch: open ${app.url} in a browser; Ctrl+C ends it`);
      onReady();
    });
    note('maskwatch: stopping …');
  } finally {
    await app.close();
  }
}
