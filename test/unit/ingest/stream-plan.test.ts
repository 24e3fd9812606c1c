import { describe, expect, it } from 'vitest';
import type { RunEnd } from '../../../src/ingest/frame-source.js';
import { StreamPlanner, type StreamWishes } from '../../../src/ingest/stream-plan.js';

const planner = (wishes: Partial<StreamWishes>) =>
  new StreamPlanner({ transport: 'auto', decoding: 'none', hwaccels: ['vaapi', 'cuda'], ...wishes });
const run = (reason: RunEnd['reason'], frameCount = 0, problems: string[] = []) => ({
  end: { reason, message: '', retryable: true },
  frameCount,
  problems,
});

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

  it('keeps to a transport that was asked for', () => {
    const plans = planner({ transport: 'udp' });
    expect(plans.note(run('connect_timeout'))).toBeNull();
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

  it('does not ask an ffmpeg for what it was built without', () => {
    const plans = planner({ decoding: 'qsv' });
    expect(plans.plan.decoding).toBe('none');
    expect(plans.fallback).toContain('built without qsv (it has: vaapi, cuda)');
    expect(planner({ decoding: 'auto', hwaccels: [] }).fallback).toBeNull();
  });
});
