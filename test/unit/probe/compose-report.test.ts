import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.js';
import type { RunEnd } from '../../../src/ingest/frame-source.js';
import { composeReport } from '../../../src/probe/compose-report.js';
import type { ProbeFindings } from '../../../src/probe/probe-findings.js';
import { type ProbeTarget, targetOfAddress } from '../../../src/probe/probe-target.js';
import { summary } from './probe-facts.js';

const rules = configSchema.parse({});
const target: ProbeTarget = targetOfAddress('rtsp://10.0.0.7/cam', {
  ...{ username: 'u', password: 'p@ss/ é', analysis: rules.analysis, cwd: '/' },
});
const plan = { transport: 'tcp', decoding: 'none', timestamps: 'stream' } as const;
const PACKETS = { packetCount: 101, keyframeCount: 3, spanMs: 4000, rateFps: 25, bitrateKbps: 1500.4 };

/** A camera about which there is nothing to say, or `what` there is. */
function findings(what: Partial<ProbeFindings> = {}): ProbeFindings {
  return {
    target,
    rules,
    stream: {
      ...{ end: null, plan, firstFrameMs: 612.3, watchedMs: 10_004, damagedCount: 0, attempts: [] },
      info: { codec: 'hevc', width: 1920, height: 1080, rateFps: 25 },
    },
    pictures: {
      ...{ faces: summary(), analysedCount: 50, droppedCount: 1, failedCount: 0, conditions: [] },
      ...{ light: { luma: 110.04, spread: 30 }, analysed: { width: 640, height: 360 } },
    },
    packets: { ...PACKETS, keyframeIntervalMs: 1600.4 },
    end: null,
    ...what,
  };
}
const stream = (what: Partial<NonNullable<ProbeFindings['stream']>>) =>
  findings({ stream: { ...findings().stream!, ...what } });
const packets = (what: Partial<NonNullable<ProbeFindings['packets']>>) =>
  findings({ packets: { ...findings().packets!, ...what } });

describe('the report', () => {
  it('tells what was found, rounded', () => {
    const report = composeReport(findings());
    expect(report).toMatchObject({
      ...{ ok: true, url: 'rtsp://10.0.0.7/cam', codec: 'hevc', width: 1920, height: 1080, rateFps: 25 },
      ...{ bitrateKbps: 1500, keyframeIntervalMs: 1600, transport: 'tcp', firstFrameMs: 612 },
      faces: { count: 4, widthPx: { min: 80, median: 80, max: 80 }, analysedPx: { median: 40 } },
      light: { pictureLuma: 110, faceLuma: 120 },
      angle: { yawDegrees: 8, pitchDegrees: 5 },
      placement: { score: 100, parts: { size: 1 }, advice: [expect.stringContaining('Nothing to improve')] },
      warnings: [],
    });
    expect(report).not.toHaveProperty('error');
    expect(report).not.toHaveProperty('cameraId');
  });

  it('has the same fields whatever happened, but for the error', () => {
    const end: RunEnd = { reason: 'refused', message: 'Nothing listens', retryable: true };
    const failed = composeReport(findings({ stream: null, pictures: null, packets: null, end }));
    const { error, ...rest } = failed;
    expect(Object.keys(rest)).toEqual(Object.keys(composeReport(findings())));
    expect(error).toEqual({
      ...{ code: 'STREAM_REFUSED', reason: 'refused', message: 'Nothing listens' },
      hint: expect.stringContaining('554'),
    });
    expect(rest).toMatchObject({
      ...{ ok: false, codec: null, transport: null, firstFrameMs: null },
      faces: { count: 0, widthPx: { min: null, median: null, max: null } },
      placement: { score: null, advice: [] },
    });
  });

  it('keeps the password out of whatever was said, also percent-encoded', () => {
    const message = `rtsp://u:p%40ss%2F%20%C3%A9@10.0.0.7/cam: no; p@ss/ é, p%40ss%2F%20%C3%A9`;
    const end: RunEnd = { reason: 'unauthorized', message, retryable: false };
    const text = JSON.stringify(composeReport(findings({ end })));
    expect(text).not.toMatch(/p@ss|p%40ss/);
  });

  it('keeps a password in path or query out of the address', () => {
    const url = 'rtsp://10.0.0.7/user=admin&password=geheim&channel=1';
    expect(composeReport(findings({ target: { ...target, url } })).url).toBe(
      'rtsp://10.0.0.7/user=admin&password=***&channel=1',
    );
  });

  it('tells how unevenly pictures came, where they keep time', () => {
    expect(composeReport(findings({ jitterMs: 7.26 })).jitterMs).toBe(7.3);
    expect(composeReport(findings()).jitterMs).toBeNull();
  });

  it('says what each transport brought where none brought pictures', () => {
    const end = (reason: RunEnd['reason'], message: string): RunEnd => ({ reason, message, retryable: true });
    const last = end('connect_timeout', 'No picture');
    const attempts = [{ plan, end: end('configuration', 'Not offered') }];
    const found = stream({ attempts, plan: { ...plan, transport: 'udp' }, end: last, firstFrameMs: null });
    expect(composeReport({ ...found, end: last })).toMatchObject({
      attempts: [{ transport: 'tcp', reason: 'configuration' }],
      error: { reason: 'configuration', message: 'tcp: Not offered; udp: No picture' },
    });
  });

  it('calls files, devices and web addresses by what they are', () => {
    const via = (url: string) => composeReport(findings({ target: { ...target, url } })).transport;
    expect(via('file:///a.mp4')).toBe('file');
    expect(via('device:/dev/video0')).toBe('device');
    expect(via('https://h/a.m3u8')).toBe('http');
  });
});

describe('warnings', () => {
  const warningsOf = (found: ProbeFindings) => composeReport(found).warnings.join('\n');

  it('tell of keyframes that are far apart, or that never come', () => {
    expect(warningsOf(packets({ keyframeIntervalMs: 10_000 }))).toContain('Keyframes are 10 s apart');
    expect(warningsOf(packets({ keyframeIntervalMs: null, spanMs: 22_000 }))).toContain('in 22 s');
  });

  it('tell of a camera that lets nobody in a second time', () => {
    const none = { packetCount: 0, keyframeCount: 0, spanMs: 0, rateFps: null, bitrateKbps: null };
    const found = packets({ ...none, keyframeIntervalMs: null });
    expect(warningsOf(found)).toContain('one viewer only');
    expect(composeReport(found)).toMatchObject({ rateFps: 25, keyframeIntervalMs: null });
  });

  it('tell of pictures that do not come, come late, or are damaged', () => {
    expect(warningsOf(packets({ rateFps: 12 }))).toContain('says 25 pictures a second and brings 12');
    expect(warningsOf(packets({ rateFps: 2 }))).toContain('fewer than are to be analysed (5)');
    expect(warningsOf(stream({ firstFrameMs: 7900 }))).toContain('first picture took 7.9 s');
    expect(warningsOf(stream({ damagedCount: 40 }))).toContain('40 pictures were damaged');
    expect(warningsOf(stream({ damagedCount: 3 }))).toBe('');
  });

  it('tell of what is wrong with the picture, and of decoding that fell back', () => {
    const pictures = { ...findings().pictures!, conditions: ['covered', 'out_of_focus'] as const };
    expect(warningsOf(findings({ pictures }))).toBe(
      'The picture is covered: nobody can be judged on it.\nThe picture is out of focus.',
    );
    const info = { codec: 'h264', width: 64, height: 36, rateFps: 25, fallback: 'no cuda' };
    expect(warningsOf(stream({ info }))).toContain('decoded otherwise than asked for: no cuda');
  });

  it('tell that a stream was over before its time, unless that is the error', () => {
    const end: RunEnd = { reason: 'end_of_file', message: 'The file is over', retryable: true };
    expect(warningsOf(stream({ end, watchedMs: 2900 }))).toBe(
      'The stream ended after 2.9 s: The file is over.',
    );
    expect(warningsOf({ ...stream({ end }), end })).toBe('');
  });

  it('tell of a machine that is too slow', () => {
    const pictures = { ...findings().pictures!, droppedCount: 30, analysedCount: 20 };
    expect(warningsOf(findings({ pictures }))).toContain('no time for 30 of 50 pictures');
  });
});
