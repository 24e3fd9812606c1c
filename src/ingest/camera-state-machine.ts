import type { CameraReason, CameraState } from '../domain/camera.js';

/** What can happen to a camera. */
export type IngestEvent =
  | { readonly kind: 'start' }
  /** A frame was decoded. */
  | { readonly kind: 'frame' }
  /** No first frame in time. */
  | { readonly kind: 'connect_timeout' }
  /** No further frame in time. */
  | { readonly kind: 'stall' }
  /** The run is over and nothing of it is left. */
  | { readonly kind: 'run_ended'; readonly reason: CameraReason; readonly message?: string }
  /** The wait is over. */
  | { readonly kind: 'retry' }
  /** Nothing more will come (a file's end), or somebody stops the camera. */
  | { readonly kind: 'stop'; readonly reason: CameraReason; readonly message?: string };

export interface CameraSituation {
  readonly state: CameraState;
  readonly reason: CameraReason;
  readonly message?: string;
}

/** Before anything was started. */
export const INITIAL_SITUATION: CameraSituation = { state: 'disabled', reason: 'configuration' };

type Transition = (event: IngestEvent, from: CameraSituation) => CameraSituation;

const connectFirst: Transition = () => ({ state: 'connecting', reason: 'started' });
/** Why it has to connect again stays visible until it is live. */
const connectAgain: Transition = (_event, from) => ({ ...from, state: 'connecting' });
const goLive: Transition = () => ({ state: 'live', reason: 'first_frame' });
const stall: Transition = () => ({ state: 'stalled', reason: 'no_frames', message: 'No new picture' });
const giveUpConnecting: Transition = () => ({
  state: 'backing_off',
  reason: 'connect_timeout',
  message: 'No picture came in time',
});
const backOff: Transition = (event, from) => ({
  state: 'backing_off',
  reason: event.kind === 'run_ended' ? event.reason : from.reason,
  ...(event.kind === 'run_ended' && event.message !== undefined ? { message: event.message } : {}),
});
/** The run ended because the watchdog ended it: what it saw is the reason, not how ffmpeg took it. */
const backOffStalled: Transition = (_event, from) => ({ ...from, state: 'backing_off' });
const disable: Transition = (event) => ({
  state: 'disabled',
  reason: event.kind === 'stop' ? event.reason : 'stopped',
  ...(event.kind === 'stop' && event.message !== undefined ? { message: event.message } : {}),
});

/**
 * Every transition there is. An event that is not listed for a state leaves it as it is: e.g. a frame that was
 * on its way while the watchdog struck does not make a camera live again whose run is being ended.
 */
const TRANSITIONS: Readonly<Record<CameraState, Partial<Record<IngestEvent['kind'], Transition>>>> = {
  disabled: { start: connectFirst },
  connecting: { frame: goLive, connect_timeout: giveUpConnecting, run_ended: backOff, stop: disable },
  live: { stall, run_ended: backOff, stop: disable },
  stalled: { run_ended: backOffStalled, stop: disable },
  backing_off: { retry: connectAgain, stop: disable },
};

/** @returns the situation after `event`; the same object when nothing changes. Pure. */
export function nextSituation(from: CameraSituation, event: IngestEvent): CameraSituation {
  return TRANSITIONS[from.state][event.kind]?.(event, from) ?? from;
}
