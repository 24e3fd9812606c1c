import { randomBytes } from 'node:crypto';
import { basename, extname } from 'node:path';
import { App } from '../app.js';
import { type DemoCamera, footageCameras } from '../demo/demo-cameras.js';
import { demoConfig } from '../demo/demo-config.js';
import { openSimulatedCameras } from '../demo/simulated-cameras.js';
import { findFfmpeg } from '../ingest/ffmpeg-binary.js';
import { createLog } from '../observability/logging.js';
import { note } from './output.js';
import { startProgress } from './progress.js';
import { withSignals } from './signals.js';
import { untilStopped } from './until-stopped.js';

export interface DemoOptions {
  readonly cameras: number;
  readonly port: number;
  readonly video?: readonly string[];
}

/** More pictures a second than a building needs: the page shows the analysed frames, and ten look smooth. */
const DEMO_RATE_FPS = 10;

/** Simulated cameras and the service that watches them, until a signal comes. */
export async function runDemo(options: DemoOptions): Promise<void> {
  await withSignals(async (signal) => {
    const { path: ffmpegPath } = await findFfmpeg();
    const cameras = options.video
      ? await videoCameras(options.video, options.cameras, ffmpegPath, signal)
      : footageCameras(options.cameras);
    note(`maskwatch: starting ${cameras.length} simulated RTSP cameras …`);
    // Like a building's cameras they ask for a user and a password, new ones each time.
    const credentials = { username: 'demo', password: `p@ss:/${randomBytes(6).toString('hex')}#%` };
    const simulated = await openSimulatedCameras({ cameras, ffmpegPath, credentials });
    try {
      const config = demoConfig({
        cameras: simulated.cameras,
        credentials,
        port: options.port,
        rateFps: DEMO_RATE_FPS,
      });
      note('maskwatch: loading the models …');
      const app = await App.open({ config, log: createLog(config.logging) });
      try {
        await untilStopped(app, signal, () =>
          note(`maskwatch: open ${app.url} in a browser; Ctrl+C ends it`),
        );
        note('maskwatch: stopping …');
      } finally {
        await app.close();
      }
    } finally {
      await simulated.close();
    }
  });
}

async function videoCameras(
  files: readonly string[],
  count: number,
  ffmpegPath: string,
  signal: AbortSignal,
): Promise<DemoCamera[]> {
  note(`maskwatch: preparing ${files.length} ${files.length === 1 ? 'video' : 'videos'} …`);
  const { prepareClips } = await import('../demo/prepare-clip.js');
  const progress = startProgress({ label: 'preparing', total: 100, unit: '%' });
  try {
    const clips = await prepareClips(files, {
      ffmpegPath,
      signal,
      onProgress: (share) => progress.update(Math.round(share * 100)),
    });
    const total = Math.max(count, clips.length);
    return clips.length === 0
      ? []
      : Array.from({ length: total }, (_, index) => {
          const source = index % clips.length;
          const file = clips[source] as string;
          const name = basename(files[source] as string, extname(files[source] as string));
          const round = Math.floor(index / clips.length);
          return { id: `video-${index + 1}`, name: round === 0 ? name : `${name} ${round + 1}`, file };
        });
  } finally {
    progress.stop();
  }
}
