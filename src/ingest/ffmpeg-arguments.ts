import { fileURLToPath } from 'node:url';
import type { FfmpegBinary } from './ffmpeg-binary.js';
import {
  type Decoding,
  decodingOptions,
  deviceAddress,
  networkOptions,
  pacingOptions,
  type RtspTransport,
  withExtras,
} from './ffmpeg-input-options.js';
import { encodeUserInfo, splitUrl } from './redact.js';

/** What is analysed of a stream: chosen inside ffmpeg, before the costly conversion to RGB. */
export interface AnalysisFormat {
  /** Analysed frames per second of stream time; fewer come when the camera sends fewer. */
  readonly rateFps: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface StreamOptions {
  /**
   * `rtsp:`, `rtsps:`, `http:`, `https:` or `file:` address, or `device:` and the name of a local camera. User and
   * password in it are accepted.
   */
  readonly url: string;
  /** Any characters. Wins over a user in `url`. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** The host name behind a numeric address in `url`, for the Host header of HTTP. */
  readonly hostName?: string | undefined;
  /** RTSP only; `http` is RTSP tunnelled through HTTP. Default `tcp`. */
  readonly transport?: RtspTransport | undefined;
  /** RTSP only; `arrival`: pictures bear the time at which they came. Default `stream`. */
  readonly timestamps?: 'stream' | 'arrival' | undefined;
  /** Default `none`: on the CPU. */
  readonly decoding?: Decoding | undefined;
  /** Only pictures that stand for themselves are decoded: next to no cost, and as few pictures as the camera has keyframes. */
  readonly keyframesOnly?: boolean | undefined;
  /** By which the picture is turned, clockwise. */
  readonly rotationDegrees?: 0 | 90 | 180 | 270 | undefined;
  /** Further options of ffmpeg's input, of {@link EXTRA_INPUT_OPTIONS}; they win over ours. */
  readonly inputOptions?: Readonly<Record<string, string | number>> | undefined;
  readonly analysis: AnalysisFormat;
  /** ffmpeg's own time-out on the network, ms. Only a second line of defence: it fires late, or never. */
  readonly timeoutMs: number;
  /** `file:` only: again from the start, for ever. */
  readonly loop?: boolean | undefined;
  /** `file:` only: `realtime` (default) reads at the file's own pace, `as-consumed` as fast as it is taken. */
  readonly pace?: 'realtime' | 'as-consumed' | undefined;
}

/** Arguments in the order in which ffmpeg wants them: `inputOptions -i input outputOptions -f rawvideo pipe:1`. */
export interface FfmpegArguments {
  readonly inputOptions: readonly string[];
  /**
   * With the credentials in it, percent-encoded: never to be printed. Other users of the machine can read it
   * in the process list; ffmpeg's command line offers no other way that keeps the RTSP options.
   */
  readonly input: string;
  readonly outputOptions: readonly string[];
}

/** Longest `user:password`, percent-encoded, that ffmpeg's RTSP client keeps whole (`char auth[128]`). */
export const RTSP_USER_INFO_MAX_BYTES = 127;

export type StreamKind = 'rtsp' | 'hls' | 'http-container' | 'mjpeg' | 'file' | 'device';

/** What to expect behind an address, judged by its scheme and file extension alone. */
export function streamKind(url: string): StreamKind | null {
  if (/^rtsps?:\/\//i.test(url)) return 'rtsp';
  if (/^file:/i.test(url)) return 'file';
  if (/^device:./i.test(url)) return 'device';
  if (!/^https?:\/\//i.test(url)) return null;
  if (/\.m3u8($|[?#])/i.test(url)) return 'hls';
  return /\.(mp4|m4v|mov|mkv|webm|ts|flv|avi|gif)($|[?#])/i.test(url) ? 'http-container' : 'mjpeg';
}

/**
 * How ffmpeg has to be called for a stream. Pure.
 *
 * Options that are missing on purpose: `-fflags nobuffer` throws away the packets read while probing, the
 * first keyframe among them; `-flags low_delay` breaks streams with B-frames and gains nothing on others with
 * one decoding thread; `-r` and the `fps` filter answer a pause of the stream with a flood of duplicates.
 */
export function ffmpegArguments(stream: StreamOptions, binary: FfmpegBinary): FfmpegArguments {
  const kind = streamKind(stream.url);
  return {
    inputOptions: [
      '-hide_banner',
      '-nostdin',
      '-nostats',
      // `verbose` because only there the scale filter says which size it reads, also after a change.
      '-loglevel',
      'level+verbose',
      // One decoding thread: frame threads each add a frame of delay, and there is one process per camera.
      '-threads',
      '1',
      ...decodingOptions(stream),
      ...withExtras([...networkOptions(stream, kind, binary), ...pacingOptions(stream, kind)], stream),
    ],
    input: inputAddress(stream, kind),
    outputOptions: [
      '-an',
      '-sn',
      '-dn',
      '-vf',
      videoFilter(
        stream.analysis,
        stream.pace === 'as-consumed' ? 'constant' : 'live',
        stream.rotationDegrees,
      ),
      '-filter_threads',
      '1',
      ...(binary.libavformatMajor >= 60 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough']),
      '-pix_fmt',
      'rgb24',
      '-flush_packets',
      '1',
    ],
  };
}

/**
 * The filter chain: rate first (dropping is free), then size with the aspect ratio kept, then RGB once, then
 * black to the right and below. `live` takes the first frame of every slot of 1/rate seconds: at most one per
 * slot, never a duplicate, and without the frame of delay that `fps` has because it looks ahead. `constant`
 * is `fps`: exactly one frame per slot, which gives recorded files frame times that can be counted.
 */
export function videoFilter(
  analysis: AnalysisFormat,
  rhythm: 'live' | 'constant',
  rotationDegrees: 0 | 90 | 180 | 270 = 0,
): string {
  const { rateFps, widthPx, heightPx } = analysis;
  const slot = (time: string) => `floor(${time}*${rateFps}+0.001)`;
  const rate =
    rhythm === 'constant'
      ? `fps=${rateFps}:round=near`
      : `select='isnan(prev_selected_t)+not(eq(${slot('t')},${slot('prev_selected_t')}))'`;
  return [
    rate,
    ...(rhythm === 'live' ? [TIMES] : []),
    // Before scale, which says what it reads: boxes are then told in pixels of the turned picture.
    ...ROTATIONS[rotationDegrees],
    `scale=w=${widthPx}:h=${heightPx}:force_original_aspect_ratio=decrease:flags=fast_bilinear`,
    'format=rgb24',
    `pad=${widthPx}:${heightPx}:0:0:black`,
    // A camera that changes its size would otherwise change the aspect of the output and have it rescaled.
    'setsar=1',
  ].join(',');
}

/**
 * Has ffmpeg say on stderr which time each picture bears. A corner of it is enough for that, cut out without a copy:
 * `showinfo` reads all of what it is given.
 */
const TIMES =
  "split[main][times];[times]crop=w='min(16,iw)':h='min(16,ih)':x=0:y=0,showinfo,nullsink;[main]null";
const ROTATIONS = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] };

/**
 * Size of the picture inside the analysed frame, pixels: what libavfilter's scale does for
 * `force_original_aspect_ratio=decrease` (ff_scale_adjust_dimensions: av_rescale rounds to nearest).
 */
export function contentSize(
  sourceWidth: number,
  sourceHeight: number,
  analysis: Pick<AnalysisFormat, 'widthPx' | 'heightPx'>,
): { width: number; height: number } {
  const width = Math.round((analysis.heightPx * sourceWidth) / sourceHeight);
  const height = Math.round((analysis.widthPx * sourceHeight) / sourceWidth);
  return { width: Math.min(width, analysis.widthPx), height: Math.min(height, analysis.heightPx) };
}

function inputAddress(stream: StreamOptions, kind: StreamKind | null): string {
  if (kind === 'file')
    return `file:${/^file:\/\//i.test(stream.url) ? fileURLToPath(stream.url) : stream.url.slice('file:'.length)}`;
  if (kind === 'device') return deviceAddress(stream.url);
  const { url, username, password } = credentialsOf(stream);
  if (username === undefined && password === undefined) return url;
  return url.replace('://', `://${userInfo(username, password)}@`);
}

/** Address without credentials, and the credentials, wherever they were given. */
export function credentialsOf(stream: Pick<StreamOptions, 'url' | 'username' | 'password'>): {
  url: string;
  username: string | undefined;
  password: string | undefined;
} {
  const split = splitUrl(stream.url);
  return {
    url: split.url,
    username: stream.username ?? split.username,
    password: stream.password ?? split.password,
  };
}

/** `user:password` as it goes into an address, percent-encoded. */
export function userInfo(username: string | undefined, password: string | undefined): string {
  return `${encodeUserInfo(username ?? '')}${password === undefined ? '' : `:${encodeUserInfo(password)}`}`;
}
