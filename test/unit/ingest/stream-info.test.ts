import { describe, expect, it } from 'vitest';
import { classifyEnd, StderrReader } from '../../../src/ingest/stream-info.js';

/* Lines as the two ffmpegs wrote them, November 2026. */
const NPM_FFMPEG = `
[h264 @ 0x2dd0c640] [verbose] Reinit context to 1280x720, pix_fmt: yuv420p
[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'a.mp4':
[info]   Duration: 00:00:12.00, start: 0.000000, bitrate: 2671 kb/s
[info]     Stream #0:0(und): Video: h264 (High), 1 reference frame (avc1 / 0x31637661), yuv420p(left), 1280x720 [SAR 1:1 DAR 16:9], 2670 kb/s, 25 fps, 25 tbr, 12800 tbn, 50 tbc (default)
[info] Stream mapping:
[info]   Stream #0:0 -> #0:0 (h264 (native) -> rawvideo (native))
[Parsed_scale_1 @ 0x2e026280] [verbose] w:640 h:360 flags:'fast_bilinear' interl:0
[graph 0 input from stream 0:0 @ 0x2e028900] [verbose] w:1280 h:720 pixfmt:yuv420p tb:1/12800 fr:25/1 sar:1/1 sws_param:flags=2
[Parsed_scale_1 @ 0x2e026280] [verbose] w:1280 h:720 fmt:yuv420p sar:1/1 -> w:640 h:360 fmt:rgb24 sar:1/1 flags:0x1
[Parsed_pad_3 @ 0x2e027cc0] [verbose] w:640 h:360 -> w:640 h:360 x:0 y:0 color:0x000000FF
[info] Output #0, rawvideo, to 'pipe:1':
[info]     Stream #0:0(und): Video: rawvideo, 1 reference frame (RGB[24] / 0x18424752), rgb24(left), 640x360 [SAR 1:1 DAR 16:9], q=2-31, 138240 kb/s, 25 fps, 25 tbn, 25 tbc (default)
[h264 @ 0x2ea83140] [verbose] Reinit context to 544x384, pix_fmt: yuv420p
[scaler_out_0_0 @ 0x2eb1edc0] [verbose] w:640 h:360 fmt:rgb24 sar:1/1 -> w:640 h:360 fmt:rgb24 sar:1/1 flags:0x4
[Parsed_scale_1 @ 0x2ec76140] [verbose] w:538 h:372 fmt:yuv420p sar:1/1 -> w:521 h:360 fmt:rgb24 sar:16140/16151 flags:0x1
`;
const SYSTEM_FFMPEG = `
[info] Input #0, rtsp, from 'rtsp://127.0.0.1:38419/cam':
[info]   Duration: N/A, start: 0.240000, bitrate: N/A
[info]   Stream #0:0[0x1](und): Video: hevc (Main), 1 reference frame (hvc1 / 0x31637668), yuv420p(tv, bt709, progressive, left), 1920x1080 (1920x1088) [SAR 1:1 DAR 16:9], 2670 kb/s, 29.97 fps, 29.97 tbr, 90k tbn (default)
[info] Stream mapping:
[Parsed_scale_1 @ 0x5616688fdc0] [verbose] w:1920 h:1080 fmt:yuv420p sar:1/1 -> w:640 h:360 fmt:rgb24 sar:1/1 flags:0x1
[info] Output #0, rawvideo, to 'pipe:1':
[info]   Stream #0:0: Video: rawvideo, 1 reference frame (RGB[24] / 0x18424752), rgb24(pc, progressive, left), 640x360 (0x0) [SAR 1:1 DAR 16:9], 25 fps, 25 tbn
`;

const facts = (text: string) => {
  const reader = new StderrReader();
  return text.split('\n').flatMap((line) => reader.read(line) ?? []);
};

describe('StderrReader', () => {
  it('reads the stream and its sizes from the npm ffmpeg, a change of size too', () => {
    expect(facts(NPM_FFMPEG)).toEqual([
      { kind: 'stream', info: { codec: 'h264', width: 1280, height: 720, rateFps: 25 } },
      { kind: 'size', sourceWidth: 1280, sourceHeight: 720, contentWidth: 640, contentHeight: 360 },
      { kind: 'output' },
      { kind: 'size', sourceWidth: 538, sourceHeight: 372, contentWidth: 521, contentHeight: 360 },
    ]);
  });

  it('reads them from the system ffmpeg', () => {
    expect(facts(SYSTEM_FFMPEG)).toEqual([
      { kind: 'stream', info: { codec: 'hevc', width: 1920, height: 1080, rateFps: 29.97 } },
      { kind: 'size', sourceWidth: 1920, sourceHeight: 1080, contentWidth: 640, contentHeight: 360 },
      { kind: 'output' },
    ]);
  });

  it('learns the size from the filter when the stream did not tell it', () => {
    const reader = new StderrReader();
    for (const line of [
      "[info] Input #0, rtsp, from 'rtsp://h/':",
      '[info]     Stream #0:0: Video: h264, 1 reference frame, none(left), 25 tbr, 1200k tbn, 50 tbc',
      '[info] Stream mapping:',
      '[Parsed_scale_1 @ 0x1] [verbose] w:1280 h:720 fmt:yuv420p sar:1/1 -> w:640 h:360 fmt:rgb24 sar:1/1 flags:0x1',
    ])
      reader.read(line);
    expect(reader.info).toEqual({ codec: 'h264', width: 1280, height: 720, rateFps: null });
  });

  it.each([
    '[h264 @ 0x3a1cb040] [info] Auto hwaccel disabled: no device found.',
    '[h264 @ 0x55ca940c0200] [info] Auto hwaccel disabled: no device found.',
  ])('hears that there was no hardware for decoding auto: %s', (line) => {
    const why = 'Auto hwaccel disabled: no device found';
    expect(new StderrReader().read(line)).toEqual({ kind: 'cpu', why });
  });

  it('keeps the last few problems, each once', () => {
    const reader = new StderrReader();
    for (let index = 0; index < 100; index += 1) reader.read('[h264 @ 0x1] [error] no frame!');
    for (let index = 0; index < 20; index += 1) reader.read(`[error] problem ${index}`);
    expect(reader.problems).toHaveLength(8);
    expect(reader.problems.at(-1)).toBe('problem 19');
    expect(new StderrReader().read('[rtsp @ 0x1] [warning] some chatter')).toBeNull();
  });
});

describe('classifyEnd', () => {
  const failed = (problem: string, more: Partial<Parameters<typeof classifyEnd>[0]> = {}) =>
    classifyEnd({ exitCode: 1, signal: null, problems: [problem], frameCount: 0, isFile: false, ...more });

  it.each([
    ['method DESCRIBE failed: 401 Unauthorized', 'unauthorized', false],
    ['rtsp://***@h/cam: Server returned 401 Unauthorized (authorization failed)', 'unauthorized', false],
    ['HTTP error 403 Forbidden', 'unauthorized', false],
    ['method DESCRIBE failed: 404 Not Found', 'not_found', true],
    ['rtsp://h/cam: Server returned 404 Not Found', 'not_found', true],
    ['Connection to tcp://h:1?timeout=0 failed: Connection refused', 'refused', true],
    ['Failed to resolve hostname nohost.invalid: Name or service not known', 'unreachable', true],
    ['Connection to tcp://10.0.0.9:554 failed: No route to host', 'unreachable', true],
    ['rtsp://h/cam: Connection timed out', 'unreachable', true],
    ['rtsp://h/cam: Operation timed out', 'unreachable', true],
    ['http://h/: Invalid data found when processing input', 'invalid_data', true],
    ['Unrecognized option "stimeout".', 'configuration', false],
    ['method SETUP failed: 461 Unsupported Transport', 'configuration', true],
    ['rtsp://h/Streaming/Channels/461: Connection reset by peer', 'unreachable', true],
    ['something nobody has seen', 'process_exited', true],
  ])('%s → %s', (problem, reason, retryable) => {
    expect(failed(problem)).toMatchObject({ reason, retryable });
    expect(failed(problem).message).toContain(problem);
  });

  it('does not call a camera that hung up no video', () => {
    const problem = 'rtsp://h/cam: Invalid data found when processing input';
    expect(failed(problem).message).toContain('hung up');
    expect(failed(problem, { isFile: true }).message).toContain('not a video');
  });

  it('does not believe an exit code of 0', () => {
    expect(
      classifyEnd({ exitCode: 0, signal: null, problems: [], frameCount: 500, isFile: false }),
    ).toMatchObject({ reason: 'process_exited', message: 'The stream ended' });
  });

  it('does not take an old complaint for the end of a stream that ran', () => {
    expect(
      classifyEnd({
        exitCode: 0,
        signal: null,
        problems: ['Error while decoding stream #0:0: Invalid data found when processing input'],
        frameCount: 500,
        isFile: false,
      }).reason,
    ).toBe('process_exited');
  });

  it('tells the end of a file from the end of a stream', () => {
    expect(classifyEnd({ exitCode: 0, signal: null, problems: [], frameCount: 9, isFile: true }).reason).toBe(
      'end_of_file',
    );
    expect(failed('file:/a: No such file or directory', { isFile: true })).toMatchObject({
      reason: 'not_found',
      retryable: false,
    });
  });

  it('names the signal', () => {
    expect(
      classifyEnd({ exitCode: null, signal: 'SIGSEGV', problems: [], frameCount: 0, isFile: false }).message,
    ).toBe('ffmpeg was ended by SIGSEGV');
  });
});
