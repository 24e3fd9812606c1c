import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { reportLines, tableLines } from '../../../src/cli/probe-output.js';
import { ProbeProgress } from '../../../src/cli/probe-progress.js';
import type { ProbeReport } from '../../../src/probe/probe-report.js';

const GOOD: ProbeReport = {
  ...{ ok: true, cameraId: 'entrance', url: 'rtsp://10.0.0.7/cam', codec: 'h264', width: 1920, height: 1080 },
  ...{
    rateFps: 25,
    declaredRateFps: 25,
    bitrateKbps: 1500,
    keyframeIntervalMs: 2000,
    transport: 'udp',
    jitterMs: 8,
  },
  ...{ firstFrameMs: 640, watchedMs: 10_000, frames: { analysed: 50, dropped: 0, damaged: 0 } },
  analysed: { width: 640, height: 360 },
  faces: {
    ...{ count: 3, sightings: 90, assessableShare: 1, notAssessable: {} },
    ...{ widthPx: { min: 40.2, median: 61.4, max: 80 }, analysedPx: { min: 13, median: 20, max: 27 } },
  },
  light: { pictureLuma: 110, pictureSpread: 30, faceLuma: 90, faceSpread: 35 },
  ...{ angle: { yawDegrees: 12, pitchDegrees: -8 }, sharpness: 700 },
  placement: { score: 71, parts: null, advice: ['Move it closer.'] },
  ...{ conditions: [], warnings: ['Keyframes are far apart.'], attempts: [] },
};
const DEAD: ProbeReport = {
  ...GOOD,
  ...{ ok: false, cameraId: 'yard', codec: null, firstFrameMs: null, warnings: [] },
  placement: { score: null, parts: null, advice: [] },
  error: {
    code: 'STREAM_NOT_FOUND',
    reason: 'not_found',
    message: 'There is no such stream',
    hint: 'The path?',
  },
};

describe('what people read', () => {
  it('is a line for each thing that is known of one camera, then what to do', () => {
    expect(reportLines(GOOD).map((line) => line.replace(/ {2,}/, ': '))).toEqual([
      'address: rtsp://10.0.0.7/cam',
      'stream: h264 1920x1080, 25 fps, 1500 kbit/s',
      'transport: udp',
      'first picture: after 640 ms',
      'keyframes: every 2.0 s',
      'faces: 3, 61 px wide (40 to 80)',
      'angle: about 12° to the side, 8° from below',
      'light: faces 90, picture 110 of 255',
      'sharpness: 700',
      'placement: 71 of 100',
      ': ! Keyframes are far apart.',
      ': - Move it closer.',
    ]);
  });

  it('is address, message and hint of a camera that cannot be watched', () => {
    expect(reportLines(DEAD)).toEqual([
      'address  rtsp://10.0.0.7/cam',
      '  There is no such stream',
      '  hint: The path?',
    ]);
  });

  it('is a table of many cameras, with what to do about each below it', () => {
    const nobody = { ...GOOD, cameraId: 'hall', warnings: [], faces: { ...GOOD.faces, count: 0 } };
    const lines = tableLines([GOOD, DEAD, { ...nobody, placement: { ...DEAD.placement } }]);
    expect(lines).toEqual([
      'camera    result     stream                               via  first picture  keyframes    faces                     placement',
      'entrance  ok         h264 1920x1080, 25 fps, 1500 kbit/s  udp  640 ms         every 2.0 s  3, 61 px wide (40 to 80)  71 of 100',
      'yard      not found  –                                    –    –              –            –                         –',
      'hall      ok         h264 1920x1080, 25 fps, 1500 kbit/s  udp  640 ms         every 2.0 s  none                      nobody seen',
      '',
      'entrance',
      '  ! Keyframes are far apart.',
      '  - Move it closer.',
      '',
      'yard',
      '  There is no such stream',
      '  hint: The path?',
    ]);
  });
});

describe('the progress of a probe', () => {
  function terminal() {
    const out = Object.assign(new PassThrough(), {
      ...{ isTTY: true, columns: 80, cursorTo: () => true, clearLine: () => true },
    });
    return { stream: out as unknown as NodeJS.WriteStream, said: () => String(out.read() ?? '') };
  }

  it('is shown from two seconds on, as the seconds of one camera', () => {
    const { stream, said } = terminal();
    let nowMs = 0;
    const progress = new ProbeProgress({ seconds: 10, cameras: 1, stream, nowMs: () => nowMs });
    progress.phase('watching');
    nowMs = 1900;
    progress.tick();
    expect(said()).toBe('');
    nowMs = 4000;
    progress.tick();
    progress.stop();
    expect(said()).toContain('4/10 s');
  });

  it('is the number of cameras where there are many', () => {
    const { stream, said } = terminal();
    let nowMs = 0;
    const progress = new ProbeProgress({ seconds: 10, cameras: 12, stream, nowMs: () => nowMs });
    progress.done(5);
    nowMs = 2500;
    progress.tick();
    progress.stop();
    expect(said()).toContain('5/12 cameras');
  });
});
