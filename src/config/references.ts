import { resolve } from 'node:path';
import { absoluteCameraUrl, checkCameraUrl, isMissingFile } from './camera-url.js';
import type { KeyPath, PlacedProblem } from './problems.js';
import { type Loose, list, record } from './rules.js';
import type { CameraConfig, Config, Secret } from './schema.js';
import { resolveSecret, type SecretSources, type SecretValue } from './secrets.js';
import { secretSchema } from './values.js';

/** HS256 keys shorter than its 256-bit digest are weaker than the digest (RFC 7518, section 3.2). */
const MIN_KEY_LENGTH = 32;

/** A camera with its password found and its `file:` address absolute. */
export type LoadedCamera = Omit<CameraConfig, 'password'> & { readonly password?: SecretValue };

/** A whole configuration, ready for use: secrets found, paths absolute. */
export type LoadedConfig = Omit<Config, 'cameras' | 'server'> & {
  /** Absolute path of the file it came from. */
  readonly file: string;
  readonly cameras: readonly LoadedCamera[];
  readonly server: Omit<Config['server'], 'auth'> & { readonly auth?: { readonly secret: SecretValue } };
};

/** Looks up every secret and file that the data names, also where other keys are wrong. */
export function checkReferences(data: Loose, sources: SecretSources): PlacedProblem[] {
  const problems: PlacedProblem[] = [];
  list(data.cameras).forEach((entry, index) => {
    const camera = record(entry);
    checkSecret(camera.password, ['cameras', index, 'password'], sources, problems);
    if (
      typeof camera.url === 'string' &&
      !checkCameraUrl(camera.url) &&
      isMissingFile(camera.url, sources.baseDir)
    )
      problems.push({
        path: ['cameras', index, 'url'],
        message: 'there is no such file',
        hint: 'a relative path starts at the folder of the configuration file',
      });
  });
  const path = ['server', 'auth', 'secret'];
  const key = checkSecret(record(record(data.server).auth).secret, path, sources, problems);
  if (key !== undefined && key.reveal().length < MIN_KEY_LENGTH)
    problems.push({
      path,
      message: `must be at least ${MIN_KEY_LENGTH} characters long`,
      hint: '"openssl rand -hex 32" makes one',
    });
  return problems;
}

function checkSecret(
  value: unknown,
  path: KeyPath,
  sources: SecretSources,
  problems: PlacedProblem[],
): SecretValue | undefined {
  const secret = secretSchema.safeParse(value);
  if (!secret.success) return undefined;
  const result = resolveSecret(secret.data, sources);
  if (result.ok) return result.value;
  problems.push({ path, message: result.message, hint: result.hint });
  return undefined;
}

/** Puts found secrets and absolute paths into a configuration that {@link checkReferences} has nothing against. */
export function resolveReferences(config: Config, file: string, sources: SecretSources): LoadedConfig {
  const { baseDir } = sources;
  const { auth, ...server } = config.server;
  return {
    ...config,
    file,
    cameras: config.cameras.map(({ password, ...camera }) => ({
      ...camera,
      url: absoluteCameraUrl(camera.url, baseDir),
      ...(camera.subUrl === undefined ? {} : { subUrl: absoluteCameraUrl(camera.subUrl, baseDir) }),
      ...(password === undefined ? {} : { password: found(password, sources) }),
    })),
    server: { ...server, ...(auth === undefined ? {} : { auth: { secret: found(auth.secret, sources) } }) },
    ingest: resolveFfmpegPath(config.ingest, baseDir),
    store: {
      ...config.store,
      path: config.store.path === ':memory:' ? ':memory:' : resolve(baseDir, config.store.path),
    },
  };
}

function found(secret: Secret, sources: SecretSources): SecretValue {
  const result = resolveSecret(secret, sources);
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

function resolveFfmpegPath(ingest: Config['ingest'], baseDir: string): Config['ingest'] {
  const { ffmpegPath } = ingest;
  // A bare name stays: findFfmpeg looks it up in PATH.
  if (ffmpegPath === undefined || !/[\\/]/.test(ffmpegPath)) return ingest;
  return { ...ingest, ffmpegPath: resolve(baseDir, ffmpegPath) };
}
