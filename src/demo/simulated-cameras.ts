import type { DemoCamera } from './demo-cameras.js';
import type { DemoCredentials } from './demo-config.js';
import { type RtspLog, RtspServer } from './rtsp/server.js';

export interface SimulatedCameras {
  /** Addresses without credentials. */
  readonly cameras: readonly { readonly id: string; readonly name: string; readonly url: string }[];
  /** For provoking faults. */
  readonly server: RtspServer;
  /** Ends all streams; resolves when no process of theirs is left. Idempotent. */
  close(): Promise<void>;
}

/**
 * RTSP cameras on loopback that play clips for ever, each asking for the same user and password by digest
 * authentication. Clips must be H.264 (see `prepareClip`). Throws `AppError` RTSP_LISTEN_FAILED.
 */
export async function openSimulatedCameras(options: {
  readonly cameras: readonly DemoCamera[];
  readonly ffmpegPath: string;
  readonly credentials: DemoCredentials;
  readonly port?: number;
  readonly log?: RtspLog;
}): Promise<SimulatedCameras> {
  const { cameras, ffmpegPath, credentials, port, log } = options;
  const server = await RtspServer.open({
    ffmpegPath,
    ...(port === undefined ? {} : { port }),
    ...(log === undefined ? {} : { log }),
    streams: cameras.map(({ id, file }) => ({
      path: `/${id}`,
      file,
      auth: { ...credentials, scheme: 'digest' as const },
    })),
  });
  return {
    cameras: cameras.map(({ id, name }) => ({ id, name, url: server.url(`/${id}`) })),
    server,
    close: () => server.close(),
  };
}
