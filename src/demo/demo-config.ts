import type { LoadedConfig } from '../config/load-config.js';
import { configSchema } from '../config/schema.js';
import { SecretValue } from '../config/secrets.js';

/** User and password of a simulated camera; any characters. */
export interface DemoCredentials {
  readonly username: string;
  readonly password: string;
}

export interface DemoConfigOptions {
  readonly cameras: readonly { readonly id: string; readonly name: string; readonly url: string }[];
  /** Left out: the cameras ask for none. */
  readonly credentials?: DemoCredentials;
  readonly port: number;
  readonly host?: string;
  /** Analysed frames per second. The page shows the analysed frames, so more of them look better. */
  readonly rateFps: number;
}

/** A configuration like a user's, of a demonstration's cameras, which keeps nothing on the disk. */
export function demoConfig(options: DemoConfigOptions): LoadedConfig {
  const config = configSchema.parse({
    cameras: options.cameras.map(({ id, name, url }) => ({
      id,
      name,
      url,
      ...(options.credentials ? { username: options.credentials.username } : {}),
    })),
    analysis: { rateFps: options.rateFps },
    server: { port: options.port, ...(options.host === undefined ? {} : { host: options.host }) },
    store: { path: ':memory:' },
    logging: { level: 'warn' },
  });
  const { auth: _none, ...server } = config.server;
  const password = options.credentials && new SecretValue(options.credentials.password);
  return {
    ...config,
    file: 'the demo',
    server,
    cameras: config.cameras.map(({ password: _unset, ...camera }) => ({
      ...camera,
      ...(password ? { password } : {}),
    })),
  };
}
