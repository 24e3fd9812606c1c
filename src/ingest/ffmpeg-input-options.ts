import type { StreamKind, StreamOptions } from './ffmpeg-arguments.js';
import type { FfmpegBinary } from './ffmpeg-binary.js';

export const RTSP_TRANSPORTS = ['tcp', 'udp', 'http'] as const;
export type RtspTransport = (typeof RTSP_TRANSPORTS)[number];

/** Where a stream is decoded: on the CPU, by whatever hardware ffmpeg finds, or by a certain kind of it. */
export const DECODINGS = ['none', 'auto', 'vaapi', 'cuda', 'qsv', 'videotoolbox'] as const;
export type Decoding = (typeof DECODINGS)[number];

/**
 * Options that a camera's configuration may set: those that change how a stream is received or decoded. None of
 * them names an output, a filter, or a file that would be written.
 */
export const EXTRA_INPUT_OPTIONS = [
  'allowed_media_types',
  'analyzeduration',
  'buffer_size',
  'err_detect',
  'fflags',
  'flags',
  'framerate',
  'hwaccel_device',
  'input_format',
  'max_delay',
  'max_port',
  'min_port',
  'pixel_format',
  'probesize',
  'reorder_queue_size',
  'rtsp_flags',
  'skip_loop_filter',
  'strict',
  'user_agent',
  'video_size',
] as const;

/** What such an option may be set to: no option of its own, no control characters. */
export const EXTRA_OPTION_VALUE = /^(?!-\D)[\x20-\x7e]{1,200}$/;

/** Ours, then the camera's: where both set an option, ours is left out. */
export function withExtras(
  options: readonly string[],
  { inputOptions = {} }: Pick<StreamOptions, 'inputOptions'>,
): string[] {
  const extras = Object.entries(inputOptions);
  const kept: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const name = options[i] as string;
    // A flag (`-re`) has no value; everything else comes in pairs.
    const isFlag = name === '-re';
    if (!extras.some(([extra]) => `-${extra}` === name))
      kept.push(...options.slice(i, isFlag ? i + 1 : i + 2));
    if (!isFlag) i += 1;
  }
  return [...kept, ...extras.flatMap(([name, value]) => [`-${name}`, String(value)])];
}

/** Pictures come back into main memory: `-hwaccel` without an output format does that by itself. */
export function decodingOptions({
  decoding = 'none',
  keyframesOnly,
}: Pick<StreamOptions, 'decoding' | 'keyframesOnly'>): string[] {
  return [
    ...(decoding === 'none' ? [] : ['-hwaccel', decoding]),
    ...(keyframesOnly ? ['-skip_frame', 'nokey'] : []),
  ];
}

/** How the stream is received. */
export function networkOptions(
  stream: StreamOptions,
  kind: StreamKind | null,
  binary: FfmpegBinary,
): string[] {
  const timeoutUs = String(Math.round(stream.timeoutMs * 1000));
  switch (kind) {
    case 'rtsp':
      return [
        '-rtsp_transport',
        stream.transport ?? 'tcp',
        '-allowed_media_types',
        'video',
        // Until ffmpeg 4 `-timeout` means "listen for a caller"; from 5 on `-stimeout` does not exist.
        binary.libavformatMajor >= 59 ? '-timeout' : '-stimeout',
        timeoutUs,
        ...(stream.transport === 'udp' ? ['-buffer_size', UDP_BUFFER_BYTES] : []),
        ...(stream.timestamps === 'arrival' ? ['-use_wallclock_as_timestamps', '1'] : []),
        ...RTSP_PROBE_OPTIONS,
      ];
    case 'mjpeg':
      // The parts of a multipart stream carry no time: without the wall clock every picture would count 1/25 s.
      return [
        ...httpOptions(stream),
        '-rw_timeout',
        timeoutUs,
        '-use_wallclock_as_timestamps',
        '1',
        ...MJPEG_PROBE_OPTIONS,
      ];
    case 'device':
      return ['-f', deviceFormat()];
    case 'hls':
    case 'http-container':
      return [...httpOptions(stream), '-rw_timeout', timeoutUs];
    default:
      return [];
  }
}

function httpOptions(stream: StreamOptions): string[] {
  if (stream.hostName === undefined) return [];
  const port = /^https?:\/\/(?:\[[^\]]*\]|[^:/?#]*)(:\d+)?/i.exec(stream.url)?.[1] ?? '';
  return ['-headers', `Host: ${stream.hostName}${port}\r\n`];
}

/**
 * Probing ends with the first packet: ffmpeg's default waits up to 5 s of stream, and all that it has read by
 * then comes out in one burst of old pictures. The size is learnt from the filter at the first picture, so
 * nothing is lost, even without parameter sets in the SDP (tried with both ffmpegs, first picture after 0.2 s
 * instead of 1.3 s).
 */
const RTSP_PROBE_OPTIONS = ['-probesize', '32', '-analyzeduration', '0'];
/**
 * A keyframe comes as one burst of packets. With the default buffer F18 lost some in 7 of 20 late joins to a
 * 720p stream on a busy machine, with this one in none.
 */
const UDP_BUFFER_BYTES = '1048576';
/** A picture of 4K is about 1 MB; the time is a fraction of a second of stream. */
const MJPEG_PROBE_OPTIONS = ['-probesize', '5000000', '-analyzeduration', '200000'];

/** How fast it is read. */
export function pacingOptions(stream: StreamOptions, kind: StreamKind | null): string[] {
  if (kind !== 'file') return kind === 'hls' || kind === 'http-container' ? ['-re'] : [];
  return [...(stream.pace === 'as-consumed' ? [] : ['-re']), ...(stream.loop ? ['-stream_loop', '-1'] : [])];
}

/** The name of a local camera, as ffmpeg's input of this system wants it. */
export function deviceAddress(url: string): string {
  return url.slice('device:'.length);
}

/** ffmpeg's input for local cameras on this system. */
export function deviceFormat(platform: NodeJS.Platform = process.platform): string {
  return platform === 'darwin' ? 'avfoundation' : platform === 'win32' ? 'dshow' : 'v4l2';
}
