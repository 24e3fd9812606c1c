import { describe, expect, it } from 'vitest';
import type { RunEnd } from '../../../src/ingest/frame-source.js';
import { StreamPlanner, type StreamWishes } from '../../../src/ingest/stream-plan.js';

const planner = (wishes: Partial<StreamWishes>) =>
  new StreamPlanner({ transport: 'auto', decoding: 'none', hwaccels: ['vaapi', 'cuda'], ...wishes });
const run = (reason: RunEnd['reason'], frameCount = 0, problems: string[] = [], liveMs = 0) => ({
  end: { reason, message: '', retryable: true },
  ...{ frameCount, problems, liveMs },
});
const PROBLEM_461 = 'method SETUP failed: 461 Unsupported Transport';
const MINUTES = 60_000;
/** A run that brought pictures for so long, then broke. */
const lived = (minutes: number) => run('process_exited', 300 * minutes, [], minutes * MINUTES);
const way = ({ plan }: StreamPlanner) => `${plan.transport}/${plan.timestamps}`;

describe('StreamPlanner', () => {
  it('tries one transport after the other until pictures come, and stays with it', () => {
    const plans = planner({});
    expect(plans.plan.transport).toBe('tcp');
    expect(plans.note(run('connect_timeout'))).toBe('no picture over tcp: trying udp');
    expect(plans.note(run('process_exited'))).toBe('no picture over udp: trying http');
    expect(plans.note(run('no_frames', 40))).toBeNull();
    expect(plans.note(run('process_exited', 1))).toBeNull();
    expect(plans.plan.transport).toBe('http');
    expect(plans.note(run('connect_timeout'))).toBe('no picture over http: trying tcp');
  });

  it('does not blame the transport for what is none of its fault', () => {
    const plans = planner({});
    for (const reason of ['refused', 'unreachable', 'unauthorized', 'not_found', 'stopped'] as const)
      expect(plans.note(run(reason))).toBeNull();
    expect(plans.plan.transport).toBe('tcp');
    // 461 may come with any end.
    expect(plans.note(run('unreachable', 0, ['method SETUP failed: 461 Unsupported transport']))).toContain(
      'udp',
    );
  });

  it('does not stay with a tunnel that lets nobody in', () => {
    const plans = planner({});
    plans.note(run('connect_timeout'));
    plans.note(run('connect_timeout'));
    expect(plans.plan.transport).toBe('http');
    expect(plans.note(run('unauthorized', 0, ['HTTP error 403 Forbidden']))).toBeNull();
    expect(plans.plan.transport).toBe('tcp');
  });

  it('keeps to a transport that was asked for', () => {
    const plans = planner({ transport: 'udp' });
    expect(plans.note(run('process_exited'))).toBeNull();
    expect(plans.note(run('connect_timeout'))).toContain('time stamps of arrival');
    expect(plans.plan.transport).toBe('udp');
  });

  it('decodes on the CPU once the hardware failed, and says why', () => {
    const plans = planner({ transport: 'tcp', decoding: 'vaapi' });
    expect(plans.plan.decoding).toBe('vaapi');
    expect(plans.fallback).toBeNull();
    expect(plans.note(run('process_exited', 0, ['Invalid data found']))).toBeNull();
    expect(plans.plan.decoding).toBe('vaapi');
    const said = plans.note(run('process_exited', 0, ['Device creation failed: -5.', 'Error opening']));
    expect(said).toBe('decoding on the CPU instead of by vaapi: Device creation failed: -5.');
    expect(plans.plan.decoding).toBe('none');
    expect(plans.fallback).toBe(said);
  });

  it('counts by arrival where the stream’s time stands still, and goes back where that is no help', () => {
    const plans = planner({ transport: 'tcp' });
    expect(plans.note(run('no_frames', 40))).toBeNull();
    expect(plans.plan.timestamps).toBe('stream');
    expect(plans.note(run('no_frames', 1))).toContain('time stamps of arrival');
    expect(plans.plan.timestamps).toBe('arrival');
    expect(plans.note(run('no_frames', 1))).toContain('time stamps of stream');
  });

  it('says so when it counts by arrival because no picture came in time', () => {
    const plans = planner({ transport: 'tcp' });
    expect(plans.note(run('connect_timeout'))).toBe(
      'no picture in time over tcp: trying it with the time stamps of arrival',
    );
    expect(plans.note(run('connect_timeout'))).toContain('time stamps of stream');
  });

  it('has no ways to choose from where it is no RTSP', () => {
    const plans = planner({ transport: null });
    expect(plans.note(run('connect_timeout'))).toBeNull();
    expect(plans.note(run('no_frames', 1))).toBeNull();
    expect(way(plans)).toBe('tcp/stream');
  });

  it('tries every transport with both kinds of time stamps, whatever the others answer', () => {
    const plans = planner({});
    const ways: string[] = [];
    // A camera whose time stands still, for an ffmpeg that then shows nothing; no UDP, no tunnel.
    const byTransport = {
      tcp: run('connect_timeout'),
      udp: run('configuration', 0, ['method SETUP failed: 461 Unsupported Transport']),
      http: run('unreachable', 0, ['HTTP error 501 Not Implemented', 'rtsp://h/1: Input/output error']),
    };
    for (let i = 0; i < 6; i++) {
      ways.push(way(plans));
      plans.note(byTransport[plans.plan.transport]);
    }
    expect(ways).toEqual([
      'tcp/stream',
      'udp/stream',
      'http/stream',
      'tcp/arrival',
      'udp/arrival',
      'http/arrival',
    ]);
  });

  it.each([
    ['unreachable', ['rtsp://h/1: Input/output error']],
    ['unreachable', ['HTTP error 400 Bad Request', 'rtsp://h/1: Input/output error']],
    ['not_found', ['HTTP error 404 Not Found', 'rtsp://h/1: Input/output error']],
  ] as const)('does not stay with a tunnel that there is not: %s, %j', (reason, problems) => {
    const plans = planner({});
    plans.note(run('connect_timeout'));
    plans.note(run('connect_timeout'));
    expect(plans.plan.transport).toBe('http');
    expect(plans.note(run(reason, 0, [...problems]))).toContain('trying tcp');
  });

  it('takes numbers in the address for what they are', () => {
    for (const number of [405, 461, 501]) {
      const plans = planner({});
      const address = `rtsp://***@10.0.0.7/Streaming/Channels/${number}`;
      expect(plans.note(run('refused', 0, [`${address}: Connection refused`]))).toBeNull();
      expect(plans.note(run('unreachable', 0, [`${address}: Connection reset by peer`]))).toBeNull();
      // Nor is a stranger let in, or a stream found, over another transport.
      const refusals = [`method SETUP failed: ${number} Whatever`, `${address}: Protocol not supported`];
      expect(plans.note(run('unauthorized', 0, refusals))).toBeNull();
      expect(plans.note(run('not_found', 0, refusals))).toBeNull();
      expect(plans.plan.transport).toBe('tcp');
      expect(plans.note(run('unreachable', 0, refusals.slice(0, 1)))).toContain('trying udp');
    }
  });

  it.each([
    ['a slow boot', 'auto', ['connect_timeout'], 'udp/stream', 'tcp/stream'],
    ['a slow boot, one transport', 'udp', ['connect_timeout'], 'udp/arrival', 'udp/stream'],
  ] as const)('comes back to the best way after %s', (_what, transport, reasons, second, best) => {
    const plans = planner({ transport });
    for (const reason of reasons) plans.note(run(reason));
    expect(way(plans)).toBe(second);
    expect(plans.note(lived(6))).toBeNull();
    expect(plans.note(lived(6))).toContain(' again, after a long time over ');
    expect(way(plans)).toBe(best);
    expect(plans.note(lived(2))).toBeNull();
    expect(plans.note(run('unreachable'))).toBeNull();
    expect(way(plans)).toBe(best);
  });

  it.each([
    ['nothing in time', run('connect_timeout')],
    ['a refusal', run('configuration', 0, ['method SETUP failed: 461 Unsupported Transport'])],
    ['an error that is no transport’s', run('unreachable', 0, ['Server returned 5XX Server Error reply'])],
    ['one picture', run('no_frames', 1)],
    ['pictures that do not last', run('no_frames', 40, [], 9000)],
  ])('loses no camera that works in one way only: a single run, then back (%s)', (_what, failed) => {
    const plans = planner({});
    for (let i = 0; i < 3; i++) plans.note(run('connect_timeout'));
    plans.note(run('configuration', 0, [PROBLEM_461]));
    expect(plans.plan.timestamps).toBe('arrival');
    const only = way(plans);
    plans.note(lived(11));
    expect(way(plans)).toBe('tcp/stream');
    expect(plans.note(failed)).toContain('back to ');
    expect(way(plans)).toBe(only);
    // And less often from now on.
    expect(plans.note(lived(11))).toBeNull();
    expect(way(plans)).toBe(only);
    expect(plans.note(lived(11))).not.toBeNull();
    expect(way(plans)).toBe('tcp/stream');
  });

  it('does not give the best way up because nobody is let in', () => {
    const plans = planner({});
    plans.note(run('connect_timeout'));
    plans.note(lived(11));
    expect(plans.note(run('unauthorized'))).toBeNull();
    expect(way(plans)).toBe('tcp/stream');
    expect(plans.note(run('connect_timeout'))).toContain('back to udp');
  });

  it('says once that the CPU decodes although pictures come', () => {
    const plans = planner({ decoding: 'auto' });
    const said = plans.noteCpuDecoding('Auto hwaccel disabled: no device found');
    expect(said).toBe('decoding on the CPU instead of by auto: Auto hwaccel disabled: no device found');
    expect(plans.fallback).toBe(said);
    expect(plans.noteCpuDecoding('Auto hwaccel disabled: no device found')).toBeNull();
    expect(planner({}).noteCpuDecoding('why')).toBeNull();
  });

  it('does not ask an ffmpeg for what it was built without', () => {
    const plans = planner({ decoding: 'qsv' });
    expect(plans.plan.decoding).toBe('none');
    expect(plans.fallback).toContain('built without qsv (it has: vaapi, cuda)');
    expect(planner({ decoding: 'auto', hwaccels: [] }).fallback).toBeNull();
  });
});
