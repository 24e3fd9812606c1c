import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { AppError } from '../lib/errors.js';

/** An ffmpeg that was found, started once and asked for its version. */
export interface FfmpegBinary {
  readonly path: string;
  /** As it calls itself, e.g. `5.1.9-0+deb12u1` or `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  /** Decides which options exist: 58 is ffmpeg 4, 59 is 5, 60 is 6, and so on. */
  readonly libavformatMajor: number;
  /** Linked statically: such a build cannot look up host names (see host-name.ts). */
  readonly isStatic: boolean;
  /** Hardware decoders that it was built with (`vaapi`, `cuda` …); whether the machine has one is another matter. */
  readonly hwaccels: readonly string[];
  /** Local devices that it can read (`v4l2`, `alsa` …). */
  readonly inputDevices: readonly string[];
  /** Where the path came from; `system`: it is called ffmpeg and stands in PATH. */
  readonly origin: 'option' | 'FFMPEG_PATH' | 'npm' | 'system';
}

export interface FindFfmpegOptions {
  /** Configured path, or bare name to be looked up in PATH; wins over everything else. */
  readonly path?: string | undefined;
  /** Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long `ffmpeg -version` may take, ms. Default 10 000. */
  readonly timeoutMs?: number;
}

/**
 * Finds ffmpeg (option, then `FFMPEG_PATH`, then the binary that npm installed, then the system's), makes sure that it
 * can be executed and reads its version and abilities, once. A bare name (`ffmpeg`) is looked up in PATH. A path that
 * was asked for and does not work is an error; nothing else is tried in its place.
 *
 * @throws AppError `FFMPEG_NOT_FOUND` or `FFMPEG_UNUSABLE`, both with exit code 3 and a hint.
 */
export async function findFfmpeg(options: FindFfmpegOptions = {}): Promise<FfmpegBinary> {
  const asked = askedFor(options);
  if (asked) return examine(asked, options);
  try {
    return await examine({ path: npmPath(), origin: 'npm' }, options);
  } catch (error) {
    // npm has none for every platform, and not every one of them runs everywhere.
    const other = await findSystemFfmpeg(options);
    if (other) return other;
    throw error;
  }
}

/** The ffmpeg in PATH; `null` where there is none that works. */
export function findSystemFfmpeg(
  options: Omit<FindFfmpegOptions, 'path'> = {},
): Promise<FfmpegBinary | null> {
  return examine({ path: 'ffmpeg', origin: 'system' }, options).catch(() => null);
}

async function examine(
  { path: asked, origin }: Pick<FfmpegBinary, 'path' | 'origin'>,
  options: FindFfmpegOptions,
): Promise<FfmpegBinary> {
  const path = await lookUp(asked, origin, options.env ?? process.env);
  try {
    await access(path, constants.X_OK);
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new AppError(
      isMissing ? 'FFMPEG_NOT_FOUND' : 'FFMPEG_UNUSABLE',
      isMissing ? `There is no ffmpeg at ${path}` : `${path} may not be executed`,
      { cause, exitCode: 3, hint: hintFor(origin) },
    );
  }
  const timeoutMs = options.timeoutMs ?? 10_000;
  const [text, hwaccels, devices] = await Promise.all([
    textOf(path, ['-version'], origin, timeoutMs),
    // A wrapper that answers nothing but -version has none.
    textOf(path, ['-hide_banner', '-hwaccels'], origin, timeoutMs).catch(() => ''),
    textOf(path, ['-hide_banner', '-devices'], origin, timeoutMs).catch(() => ''),
  ]);
  const version = /^ffmpeg version (\S+)/m.exec(text)?.[1];
  const major = /^libavformat\s+(\d+)\./m.exec(text)?.[1];
  if (!version || !major)
    throw new AppError('FFMPEG_UNUSABLE', `${path} does not say which ffmpeg it is`, {
      exitCode: 3,
      hint: hintFor(origin),
    });
  return {
    path,
    version,
    libavformatMajor: Number(major),
    isStatic: /-static\b/.test(version) || /^configuration:.*--extra-ldflags=\S*-static/m.test(text),
    hwaccels: hwaccels
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^[a-z0-9_]+$/.test(line)),
    // ` DE video4linux2,v4l2 Video4Linux2 output device`: D can be read, E written.
    inputDevices: [...devices.matchAll(/^ D[E. ]\S* +(\w\S*)/gm)].flatMap(([, names = '']) =>
      names.split(','),
    ),
    origin,
  };
}

function askedFor(options: FindFfmpegOptions): Pick<FfmpegBinary, 'path' | 'origin'> | null {
  if (options.path) return { path: options.path, origin: 'option' };
  const fromEnv = (options.env ?? process.env).FFMPEG_PATH;
  return fromEnv ? { path: fromEnv, origin: 'FFMPEG_PATH' } : null;
}

function npmPath(): string {
  try {
    // Throws (a string) on platforms that it has no binary for, hence not a static import.
    const installer: unknown = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg');
    if (installer && typeof installer === 'object' && 'path' in installer) return String(installer.path);
    throw new Error('the package names no path');
  } catch (cause) {
    throw new AppError('FFMPEG_NOT_FOUND', 'No ffmpeg: npm installed none for this platform', {
      cause,
      exitCode: 3,
      hint: hintFor('npm'),
    });
  }
}

/** A bare name as the shell finds it; anything with a slash as it is. */
async function lookUp(
  asked: string,
  origin: FfmpegBinary['origin'],
  env: NonNullable<FindFfmpegOptions['env']>,
): Promise<string> {
  if (/[\\/]/.test(asked)) return asked;
  const names = process.platform === 'win32' ? [asked, `${asked}.exe`] : [asked];
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean))
    for (const name of names) {
      const path = join(folder, name);
      const isProgram = await Promise.all([stat(path), access(path, constants.X_OK)]).then(
        ([entry]) => entry.isFile(),
        () => false,
      );
      if (isProgram) return path;
    }
  throw new AppError('FFMPEG_NOT_FOUND', `There is no program called ${asked} in PATH`, {
    exitCode: 3,
    hint: hintFor(origin),
  });
}

function textOf(
  path: string,
  question: readonly string[],
  origin: FfmpegBinary['origin'],
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, question, { timeout: timeoutMs, killSignal: 'SIGKILL' }, (cause, stdout) => {
      if (!cause) return resolve(stdout);
      reject(
        new AppError('FFMPEG_UNUSABLE', `${path} does not run: ${cause.message}`, {
          cause,
          exitCode: 3,
          hint: hintFor(origin),
        }),
      );
    });
  });
}

function hintFor(origin: FfmpegBinary['origin']): string {
  switch (origin) {
    case 'option':
      return 'Set ingest.ffmpegPath to an ffmpeg, or leave it out to use the one that npm installed.';
    case 'FFMPEG_PATH':
      return 'Set FFMPEG_PATH to an ffmpeg, or unset it to use the one that npm installed.';
    case 'npm':
    case 'system':
      return 'Install ffmpeg so that it is found in PATH (e.g. apt-get install ffmpeg), or run npm ci again without --omit=optional.';
  }
}
