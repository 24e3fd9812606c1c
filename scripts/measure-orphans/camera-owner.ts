/*
 * A process that owns supervised cameras and nothing else of the service. Argument: a file as openOwners() writes it.
 */
import { readFile } from 'node:fs/promises';
import { CameraSupervisor } from '../../src/ingest/camera-supervisor.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { systemClock } from '../../src/lib/clock.js';

const config = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as {
  cameras: { id: string; url: string; username: string; password: string }[];
  ingest: { ffmpegPath: string };
};
const binary = await findFfmpeg({ path: config.ingest.ffmpegPath });
const signal = new AbortController().signal;
await Promise.all(
  config.cameras.map(({ id, url, username, password }) =>
    new CameraSupervisor({
      cameraId: id,
      source: new FfmpegSource({
        ...{ cameraId: id, url, username, password, binary, clock: systemClock },
        analysis: { rateFps: 5, widthPx: 640, heightPx: 360 },
      }),
      clock: systemClock,
      timeouts: {
        connectMs: 5000,
        stallMs: 2000,
        backoffMinMs: 200,
        backoffMaxMs: 1000,
        stableAfterMs: 5000,
      },
      onFrame: (frame) => frame.release(),
      onDropped: () => {},
      onStatus: () => {},
    }).run(signal),
  ),
);
