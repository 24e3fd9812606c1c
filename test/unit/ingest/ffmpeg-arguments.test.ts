import { describe, expect, it } from 'vitest';
import {
  contentSize,
  ffmpegArguments,
  type StreamOptions,
  streamKind,
  videoFilter,
} from '../../../src/ingest/ffmpeg-arguments.js';
import type { FfmpegBinary } from '../../../src/ingest/ffmpeg-binary.js';
import { deviceFormat } from '../../../src/ingest/ffmpeg-input-options.js';

const binary = (libavformatMajor: number): FfmpegBinary => ({
  path: 'ffmpeg',
  version: 'x',
  libavformatMajor,
  isStatic: false,
  hwaccels: [],
  inputDevices: [],
  origin: 'option',
});
const analysis = { rateFps: 5, widthPx: 640, heightPx: 360 };
const stream = (options: Partial<StreamOptions>): StreamOptions => ({
  url: 'rtsp://host/cam',
  analysis,
  timeoutMs: 4000,
  ...options,
});

/** The value after an option; `undefined` when the option is not there. */
function optionValue(options: readonly string[], name: string): string | undefined {
  const index = options.indexOf(name);
  return index < 0 ? undefined : options[index + 1];
}

describe('ffmpegArguments', () => {
  it('names the socket time-out as the ffmpeg at hand wants it, in microseconds', () => {
    const old = ffmpegArguments(stream({}), binary(58)).inputOptions;
    expect(optionValue(old, '-stimeout')).toBe('4000000');
    expect(old).not.toContain('-timeout');
    const current = ffmpegArguments(stream({}), binary(59)).inputOptions;
    expect(optionValue(current, '-timeout')).toBe('4000000');
    expect(current).not.toContain('-stimeout');
  });

  it('passes frames through without making their number up, in the words of each version', () => {
    expect(optionValue(ffmpegArguments(stream({}), binary(58)).outputOptions, '-vsync')).toBe('passthrough');
    expect(optionValue(ffmpegArguments(stream({}), binary(59)).outputOptions, '-vsync')).toBe('passthrough');
    expect(optionValue(ffmpegArguments(stream({}), binary(60)).outputOptions, '-fps_mode')).toBe(
      'passthrough',
    );
  });

  it('chooses the transport, TCP by default', () => {
    expect(optionValue(ffmpegArguments(stream({}), binary(58)).inputOptions, '-rtsp_transport')).toBe('tcp');
    expect(
      optionValue(ffmpegArguments(stream({ transport: 'udp' }), binary(58)).inputOptions, '-rtsp_transport'),
    ).toBe('udp');
    const udp = ffmpegArguments(stream({ transport: 'udp' }), binary(58)).inputOptions;
    expect(optionValue(udp, '-buffer_size')).toBe('1048576');
    expect(ffmpegArguments(stream({}), binary(58)).inputOptions).not.toContain('-buffer_size');
  });

  it('decodes with one thread and sees only the picture', () => {
    const { inputOptions, outputOptions } = ffmpegArguments(stream({}), binary(59));
    expect(optionValue(inputOptions, '-threads')).toBe('1');
    expect(outputOptions).toEqual(expect.arrayContaining(['-an', '-sn', '-dn']));
    expect(optionValue(outputOptions, '-pix_fmt')).toBe('rgb24');
  });

  it('puts user and password into the address so that no character can break out', () => {
    const { input } = ffmpegArguments(
      stream({ url: 'rtsp://host:8554/cam?x=1', username: 'us er', password: 'p@ss/w:%?#' }),
      binary(59),
    );
    expect(input).toBe('rtsp://us%20er:p%40ss%2Fw%3A%25%3F%23@host:8554/cam?x=1');
    const parsed = new URL(input);
    expect([parsed.hostname, parsed.port, decodeURIComponent(parsed.password)]).toEqual([
      'host',
      '8554',
      'p@ss/w:%?#',
    ]);
  });

  it('takes credentials from the address, and separate ones before them', () => {
    expect(ffmpegArguments(stream({ url: 'rtsp://a:b@host/' }), binary(59)).input).toBe('rtsp://a:b@host/');
    expect(
      ffmpegArguments(stream({ url: 'rtsp://a:b@host/', username: 'c', password: 'd' }), binary(59)).input,
    ).toBe('rtsp://c:d@host/');
    expect(ffmpegArguments(stream({}), binary(59)).input).toBe('rtsp://host/cam');
  });

  it('plays a file at its own pace, in a loop where asked, and without network options', () => {
    const { inputOptions, input } = ffmpegArguments(
      stream({ url: 'file:///tmp/a%20b.mp4', loop: true }),
      binary(59),
    );
    expect(input).toBe('file:/tmp/a b.mp4');
    expect(inputOptions).toContain('-re');
    expect(optionValue(inputOptions, '-stream_loop')).toBe('-1');
    expect(inputOptions).not.toContain('-timeout');
    expect(ffmpegArguments(stream({ url: 'file:clips/100%.mp4' }), binary(59)).input).toBe(
      'file:clips/100%.mp4',
    );
    expect(
      ffmpegArguments(stream({ url: 'file:/a.mp4', pace: 'as-consumed' }), binary(59)).inputOptions,
    ).not.toContain('-re');
  });

  it('gives pictures over HTTP the time of their arrival, and only those', () => {
    const mjpeg = ffmpegArguments(stream({ url: 'http://host/video.cgi' }), binary(59)).inputOptions;
    expect(optionValue(mjpeg, '-use_wallclock_as_timestamps')).toBe('1');
    expect(optionValue(mjpeg, '-rw_timeout')).toBe('4000000');
    const hls = ffmpegArguments(stream({ url: 'https://host/live.m3u8?t=1' }), binary(59)).inputOptions;
    expect(hls).not.toContain('-use_wallclock_as_timestamps');
    expect(hls).toContain('-re');
  });

  it('tunnels through HTTP, decodes by hardware, and keyframes only, where asked', () => {
    const { inputOptions } = ffmpegArguments(
      stream({ transport: 'http', decoding: 'vaapi', keyframesOnly: true }),
      binary(59),
    );
    expect(optionValue(inputOptions, '-rtsp_transport')).toBe('http');
    expect(optionValue(inputOptions, '-hwaccel')).toBe('vaapi');
    expect(optionValue(inputOptions, '-skip_frame')).toBe('nokey');
    const usual = ffmpegArguments(stream({ decoding: 'none' }), binary(59)).inputOptions;
    for (const option of ['-hwaccel', '-skip_frame']) expect(usual).not.toContain(option);
  });

  it('lets options of the camera win over its own', () => {
    const { inputOptions } = ffmpegArguments(
      stream({ inputOptions: { probesize: 5_000_000, fflags: '+discardcorrupt' } }),
      binary(59),
    );
    expect(optionValue(inputOptions, '-probesize')).toBe('5000000');
    expect(inputOptions.filter((option) => option === '-probesize')).toHaveLength(1);
    expect(optionValue(inputOptions, '-fflags')).toBe('+discardcorrupt');
    expect(optionValue(inputOptions, '-analyzeduration')).toBe('0');
    const file = ffmpegArguments(
      stream({ url: 'file:/a.mp4', loop: true, inputOptions: { flags: 'x' } }),
      binary(59),
    ).inputOptions;
    expect(file.slice(-5)).toEqual(['-re', '-stream_loop', '-1', '-flags', 'x']);
  });

  it('reads a local camera by the system’s input', () => {
    const { input, inputOptions } = ffmpegArguments(stream({ url: 'device:/dev/video0' }), binary(59));
    expect(input).toBe('/dev/video0');
    expect(optionValue(inputOptions, '-f')).toBe(deviceFormat());
    expect([deviceFormat('linux'), deviceFormat('darwin'), deviceFormat('win32')]).toEqual([
      'v4l2',
      'avfoundation',
      'dshow',
    ]);
  });

  it('keeps the host name for HTTP when the address is numeric', () => {
    const { inputOptions } = ffmpegArguments(
      stream({ url: 'http://10.0.0.1:81/x', hostName: 'cam.lan' }),
      binary(58),
    );
    expect(optionValue(inputOptions, '-headers')).toBe('Host: cam.lan:81\r\n');
  });
});

describe('streamKind', () => {
  it.each([
    ['rtsp://h/', 'rtsp'],
    ['RTSPS://h/', 'rtsp'],
    ['file:a', 'file'],
    ['http://h/a.m3u8', 'hls'],
    ['https://h/a.mp4?x', 'http-container'],
    ['http://h/mjpg/video.mjpg', 'mjpeg'],
    ['http://h', 'mjpeg'],
    ['/dev/video0', null],
    ['device:/dev/video0', 'device'],
    ['device:', null],
    ['ftp://h/', null],
  ])('%s → %s', (url, kind) => expect(streamKind(url)).toBe(kind));
});

describe('videoFilter', () => {
  it('drops frames before it converts any, converts once, and puts black beside', () => {
    const steps = videoFilter(analysis, 'live')
      .replace(/'[^']*'/g, '')
      .replace(/split\[main\].*\[main\]null,/, '')
      .split(',');
    expect(steps.map((step) => step.split('=')[0])).toEqual(['select', 'scale', 'format', 'pad', 'setsar']);
    expect(steps[1]).toContain('force_original_aspect_ratio=decrease:flags=fast_bilinear');
    expect(steps[3]).toBe('pad=640:360:0:0:black');
    expect(videoFilter(analysis, 'live', 90)).toContain(',transpose=clock,scale=');
    expect(videoFilter(analysis, 'live', 180)).toContain(',hflip,vflip,scale=');
    expect(videoFilter(analysis, 'live', 270)).toContain(',transpose=cclock,scale=');
    expect(videoFilter(analysis, 'constant')).toMatch(/^fps=5:round=near,scale=/);
  });
});

describe('contentSize', () => {
  // What ffmpeg 4 and 5.1 print for the same sizes.
  it.each([
    [1280, 720, 640, 360],
    [640, 480, 480, 360],
    [538, 372, 521, 360],
    [360, 640, 203, 360],
    [1920, 1088, 635, 360],
    [320, 180, 640, 360],
    [2000, 300, 640, 96],
  ])('%i×%i becomes %i×%i in 640×360', (width, height, contentWidth, contentHeight) => {
    expect(contentSize(width, height, analysis)).toEqual({ width: contentWidth, height: contentHeight });
  });
});
