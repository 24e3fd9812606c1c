import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { absoluteCameraUrl, checkCameraUrl } from '../config/camera-url.js';
import { effectiveCamera } from '../config/effective-camera.js';
import type { LoadedConfig } from '../config/load-config.js';
import type { AnalysisConfig, CameraConfig, Config } from '../config/schema.js';
import { splitUrl } from '../ingest/redact.js';
import { AppError } from '../lib/errors.js';

export type ProbeTransport = CameraConfig['transport'];

/** What is to be looked at, and how. */
export interface ProbeTarget
  extends Pick<CameraConfig, 'decoding' | 'keyframesOnly' | 'rotationDegrees' | 'inputOptions'> {
  /** Of the configuration. */
  readonly cameraId?: string;
  /** Without credentials. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly transport: ProbeTransport;
  readonly analysis: AnalysisConfig;
  /** It is the camera's smaller stream. */
  readonly isSubStream: boolean;
  /** Known before anything runs. */
  readonly warnings: readonly string[];
}

/** The parts of a configuration by which a camera is looked at. */
export type ProbeRules = Pick<
  Config,
  'ingest' | 'detection' | 'tracking' | 'classification' | 'inference' | 'analysis'
>;

const NEVER_IN_ADDRESSES =
  'give --username, and the password by --password-file or the variable MASKWATCH_PROBE_PASSWORD, as they are';

/**
 * The target of an address (or the path of a file) from the command line. User and password in it are taken, as people
 * paste them. Throws `AppError` CLI_USAGE (exit code 2); its message holds nothing of the address.
 */
export function targetOfAddress(
  address: string,
  options: {
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    readonly transport?: ProbeTransport | undefined;
    readonly analysis: AnalysisConfig;
    readonly cwd: string;
  },
): ProbeTarget {
  const { username, password, transport = 'auto', analysis, cwd } = options;
  const given = asUrl(address, cwd);
  const split = splitUrl(given);
  // What is left of a password with an "@" or "/" in it would be taken for the host, and be told.
  if (split.username !== undefined && /@/.test(split.url))
    throw usage(
      'the address has an "@" in its user or password that is not percent-encoded',
      NEVER_IN_ADDRESSES,
    );
  const problem = checkCameraUrl(split.url);
  if (problem)
    throw usage(
      `the address ${problem.message}`,
      /user or password/.test(problem.message) ? NEVER_IN_ADDRESSES : problem.hint,
    );
  const isNetwork = /^(rtsps?|https?):/i.test(split.url);
  const user = username ?? split.username;
  const isUnused = isNetwork && password !== undefined && user === undefined;
  const warnings = [
    ...(split.password === undefined
      ? []
      : [
          `The password stands in the address, where shell history and process list show it: ${NEVER_IN_ADDRESSES}.`,
        ]),
    ...(isUnused ? ['There is a password but no user (--username): it was not used.'] : []),
  ];
  return {
    url: absoluteCameraUrl(split.url, cwd),
    ...(isNetwork && !isUnused ? { username: user, password: password ?? split.password } : {}),
    ...{ transport, analysis, warnings, isSubStream: false },
    ...{ decoding: 'none', keyframesOnly: false, rotationDegrees: 0, inputOptions: {} },
  };
}

/**
 * Cameras of a configuration, in its order: those named, or all that are enabled. What is looked at is the stream that is
 * analysed. Throws `AppError` CLI_USAGE (exit code 2).
 */
export function targetsOfConfig(
  config: LoadedConfig,
  cameraIds: readonly string[],
  transport: ProbeTransport | undefined,
): ProbeTarget[] {
  const unknown = cameraIds.find((id) => !config.cameras.some((camera) => camera.id === id));
  if (unknown !== undefined)
    throw usage(
      `there is no camera ${unknown} in ${config.file}`,
      `it has ${config.cameras.map(({ id }) => id).join(', ') || 'none'}`,
    );
  const chosen = config.cameras.filter(({ id, enabled }) =>
    cameraIds.length > 0 ? cameraIds.includes(id) : enabled,
  );
  if (chosen.length === 0) throw usage(`${config.file} has no camera that is enabled`);
  return chosen.map((loaded) => {
    const camera = effectiveCamera(config, loaded);
    const { decoding, keyframesOnly, rotationDegrees, inputOptions, analysis } = camera;
    return {
      cameraId: camera.id,
      url: camera.subUrl ?? camera.url,
      username: camera.username,
      password: camera.password?.reveal(),
      transport: transport ?? camera.transport,
      isSubStream: camera.subUrl !== undefined,
      warnings: [],
      ...{ decoding, keyframesOnly, rotationDegrees, inputOptions, analysis },
    };
  });
}

const VIDEO_FILE = /\.(mp4|m4v|mov|mkv|webm|avi|ts|gif|mjpeg|mjpg|h264|h265)$/i;

/** The path of a file as an address; what looks like neither is left for {@link checkCameraUrl}. */
function asUrl(address: string, cwd: string): string {
  const path = resolve(cwd, address);
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  const isPath = isFile || (VIDEO_FILE.test(address) && !/^[a-z][a-z0-9+.-]+:/i.test(address));
  return isPath ? pathToFileURL(path).href : address;
}

function usage(message: string, hint?: string): AppError {
  return new AppError('CLI_USAGE', message, { hint, exitCode: 2 });
}
