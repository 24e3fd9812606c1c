import { describe, expect, it } from 'vitest';
import { CAMERA_STATES, type CameraState } from '../../../src/domain/camera.js';
import {
  type CameraSituation,
  INITIAL_SITUATION,
  type IngestEvent,
  nextSituation,
} from '../../../src/ingest/camera-state-machine.js';

const EVENTS: IngestEvent[] = [
  { kind: 'start' },
  { kind: 'frame' },
  { kind: 'connect_timeout' },
  { kind: 'stall' },
  { kind: 'run_ended', reason: 'refused', message: 'no' },
  { kind: 'retry' },
  { kind: 'stop', reason: 'stopped' },
];

/** Where each event leads from each state; what is missing stays. */
const EXPECTED: Record<CameraState, Partial<Record<IngestEvent['kind'], CameraState>>> = {
  disabled: { start: 'connecting' },
  connecting: { frame: 'live', connect_timeout: 'backing_off', run_ended: 'backing_off', stop: 'disabled' },
  live: { stall: 'stalled', run_ended: 'backing_off', stop: 'disabled' },
  stalled: { run_ended: 'backing_off', stop: 'disabled' },
  backing_off: { retry: 'connecting', stop: 'disabled' },
};

describe('nextSituation', () => {
  for (const state of CAMERA_STATES)
    for (const event of EVENTS) {
      const to = EXPECTED[state][event.kind];
      it(`${state} + ${event.kind} → ${to ?? 'as it was'}`, () => {
        const from: CameraSituation = { state, reason: 'first_frame' };
        const next = nextSituation(from, event);
        if (to === undefined) expect(next).toBe(from);
        else expect(next.state).toBe(to);
      });
    }

  it('says why, all the way round', () => {
    const steps: IngestEvent[] = [
      { kind: 'start' },
      { kind: 'run_ended', reason: 'unauthorized', message: 'wrong password' },
      { kind: 'retry' },
      { kind: 'frame' },
      { kind: 'stall' },
      { kind: 'run_ended', reason: 'stopped' },
      { kind: 'retry' },
      { kind: 'connect_timeout' },
      { kind: 'run_ended', reason: 'stopped' },
      { kind: 'stop', reason: 'stopped' },
    ];
    let situation = INITIAL_SITUATION;
    const path = steps.map((event) => {
      situation = nextSituation(situation, event);
      return `${situation.state}: ${situation.reason}`;
    });
    expect(path).toEqual([
      'connecting: started',
      'backing_off: unauthorized',
      'connecting: unauthorized',
      'live: first_frame',
      'stalled: no_frames',
      'backing_off: no_frames',
      'connecting: no_frames',
      'backing_off: connect_timeout',
      'backing_off: connect_timeout',
      'disabled: stopped',
    ]);
  });
});
