import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { killWithOwner, ownedCommand } from '../ingest/child-processes.js';
import { AppError } from '../lib/errors.js';

/** What a prepared clip is like, where it is not to be as usual. */
export interface ClipForm {
  /** Pictures a second, 1 to 60. Default 25. */
  readonly rateFps?: number;
  /** From one keyframe to the next, seconds of the clip. Default 1. */
  readonly keyframeEveryS?: number;
  /** The picture is made smaller where it does not fit. Default 1280 × 720. */
  readonly maxWidthPx?: number;
  readonly maxHeightPx?: number;
}

export interface PrepareClipOptions {
  readonly ffmpegPath: string;
  readonly form?: ClipForm;
  /** Where prepared clips are kept. Default: `maskwatch/clips` in the user's cache folder. */
  readonly cacheDir?: string;
  /** Share of the work done, in [0, 1], growing. Not called for a clip that is cached. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

const USUAL_FORM: Required<ClipForm> = { rateFps: 25, keyframeEveryS: 1, maxWidthPx: 1280, maxHeightPx: 720 };
/** Part of the cache key: raise it when the arguments below change. */
const RECIPE_VERSION = 2;
const STDERR_KEEP_LINES = 40;

/**
 * The file as a simulated camera can play it without encoding anything: H.264 without B-frames, yuv420p, no
 * sound, and, unless `form` says otherwise, at most 1280×720, 25 fps, a keyframe a second. Made once and cached by
 * path, size, time of change and form.
 *
 * @returns path of the prepared MP4.
 * @throws AppError `DEMO_CLIP_UNREADABLE` (exit code 2) where the file is missing or no video, and
 * `DEMO_CLIP_FAILED` where the transcoder does not work; the signal's reason when it aborts.
 */
export async function prepareClip(file: string, options: PrepareClipOptions): Promise<string> {
  const form = { ...USUAL_FORM, ...options.form };
  if (!(form.rateFps >= 1 && form.rateFps <= 60 && form.keyframeEveryS > 0))
    throw new RangeError('a clip has 1 to 60 pictures a second and keyframes');
  const source = resolve(file);
  const info = await stat(source).catch((cause: unknown) => {
    throw unreadable(file, 'there is no such file, or it may not be read', cause);
  });
  if (!info.isFile()) throw unreadable(file, 'it is no regular file');
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  await mkdir(cacheDir, { recursive: true });
  const key = createHash('sha256')
    .update([RECIPE_VERSION, source, info.size, info.mtimeMs, JSON.stringify(form)].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const name = basename(file, extname(file))
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .slice(0, 40);
  const target = join(cacheDir, `${name}-${key}.mp4`);
  if (
    await stat(target).then(
      (cached) => cached.size > 0,
      () => false,
    )
  )
    return target;
  // Another process may prepare the same clip: each writes its own file, the last rename wins.
  const part = join(cacheDir, `${name}-${key}.${randomBytes(4).toString('hex')}.part`);
  try {
    await transcode({ name: file, source, target: part, form }, options);
    await rename(part, target);
  } finally {
    await rm(part, { force: true });
  }
  return target;
}

/** Prepares several, one after the other (one ffmpeg uses all cores); progress is over all of them. */
export async function prepareClips(files: readonly string[], options: PrepareClipOptions): Promise<string[]> {
  const clips: string[] = [];
  for (const [index, file] of files.entries()) {
    const onProgress = (share: number) => options.onProgress?.((index + share) / files.length);
    clips.push(await prepareClip(file, { ...options, onProgress }));
    onProgress(1);
  }
  return clips;
}

interface Transcoding {
  /** As the user wrote it. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly form: Required<ClipForm>;
}

function transcodeArguments({ source, target, form }: Transcoding): string[] {
  const keyframes = String(Math.max(1, Math.round(form.rateFps * form.keyframeEveryS)));
  const filters = [
    `fps=${form.rateFps}`,
    // Square pixels first, then into the box, never larger, and even sizes as yuv420p needs them.
    "scale=w='max(2,trunc(iw*sar/2)*2)':h=ih",
    'setsar=1',
    `scale=w='min(${form.maxWidthPx},iw)':h='min(${form.maxHeightPx},ih)':force_original_aspect_ratio=decrease`,
    "scale=w='max(2,trunc(iw/2)*2)':h='max(2,trunc(ih/2)*2)'",
    'format=yuv420p',
  ];
  return [
    ...['-nostdin', '-hide_banner', '-y', '-nostats', '-progress', 'pipe:1'],
    // A playlist given as "video" must not make us fetch anything.
    ...['-protocol_whitelist', 'file', '-i', `file:${source}`],
    ...['-map', '0:v:0', '-an', '-sn', '-dn', '-map_metadata', '-1', '-vf', filters.join(',')],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-maxrate', '4M', '-bufsize', '4M'],
    ...['-bf', '0', '-g', keyframes, '-keyint_min', keyframes, '-sc_threshold', '0'],
    ...['-x264-params', 'repeat-headers=1', '-f', 'mp4', `file:${target}`],
  ];
}

async function transcode(work: Transcoding, options: PrepareClipOptions): Promise<void> {
  const { name, source } = work;
  const owned = await ownedCommand(options.ffmpegPath);
  options.signal?.throwIfAborted();
  const child = spawn(owned.file, [...owned.args, ...transcodeArguments(work)], {
    ...owned.options,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  killWithOwner(child);
  const stop = () => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', stop, { once: true });
  let durationMs: number | null = null;
  let frameCount = 0;
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    durationMs ??= readDurationMs(line);
    lines.push(line);
    if (lines.length > STDERR_KEEP_LINES) lines.shift();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [key, value] = line.split('=');
    if (key === 'frame') frameCount = Number(value);
    // Microseconds, whatever its name says.
    if (key !== 'out_time_ms' || !durationMs) return;
    const share = Number(value) / 1000 / durationMs;
    if (share >= 0) options.onProgress?.(Math.min(1, share));
  });
  const end = await new Promise<{ code: number | null } | { error: Error }>((done) => {
    child.once('error', (error) => done({ error }));
    child.once('close', (code) => done({ code }));
  });
  options.signal?.removeEventListener('abort', stop);
  options.signal?.throwIfAborted();
  if ('error' in end) {
    const message = `the video ${name} could not be prepared: ffmpeg did not start`;
    throw new AppError('DEMO_CLIP_FAILED', message, { cause: end.error, exitCode: 3 });
  }
  if (end.code === 0 && frameCount > 0) return;
  throw explainFailure(name, source, lines, end.code === 0);
}

/** Of ffmpeg's many lines the one that a person can act on. */
function explainFailure(name: string, source: string, lines: readonly string[], isEmpty: boolean): AppError {
  const text = lines.join('\n');
  if (/Unknown encoder 'libx264'|Unrecognized option/.test(text)) {
    return new AppError(
      'DEMO_CLIP_FAILED',
      `the video ${name} could not be prepared: this ffmpeg has no libx264`,
      {
        exitCode: 3,
        hint: 'Unset FFMPEG_PATH to use the ffmpeg that npm installed, or install one with libx264.',
      },
    );
  }
  if (/No space left on device/.test(text)) {
    return new AppError('DEMO_CLIP_FAILED', `the video ${name} could not be prepared: the disk is full`);
  }
  if (/matches no streams/.test(text)) return unreadable(name, 'it holds no pictures');
  if (isEmpty) return unreadable(name, 'not one picture in it could be decoded');
  const line = [...lines].reverse().find((candidate) => /error|invalid|not found|denied/i.test(candidate));
  const reason = (line ?? lines.at(-1) ?? '').replaceAll(`file:${source}: `, '').replaceAll(source, name);
  return unreadable(name, reason.trim() || 'ffmpeg cannot read it');
}

function unreadable(name: string, reason: string, cause?: unknown): AppError {
  return new AppError('DEMO_CLIP_UNREADABLE', `${name} cannot be played as a camera: ${reason}`, {
    cause,
    path: name,
    exitCode: 2,
    hint: 'Give a video file that ffmpeg can decode (MP4, MKV, MOV, AVI, WebM …).',
  });
}

/** From a line such as `  Duration: 00:00:26.88, start: …`; `null` for any other. */
export function readDurationMs(line: string): number | null {
  const match = /^\s*Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/.exec(line);
  if (!match) return null;
  return Math.round((Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])) * 1000);
}

function defaultCacheDir(): string {
  const base = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || join(homedir(), '.cache');
  return join(base, 'maskwatch', 'clips');
}
