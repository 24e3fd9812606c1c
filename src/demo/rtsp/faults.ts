import { AppError } from '../../lib/errors.js';

/** What can be wrong with a simulated camera. One at a time; the share is of RTP packets, 0 to 1. */
export type CameraFault =
  /** The camera hangs: connections stay, requests are answered, no packet comes. */
  | { readonly kind: 'freeze' }
  /** Connections are reset as soon as they ask for this camera. */
  | { readonly kind: 'refuse' }
  /** Requests are never answered, and no packet comes. */
  | { readonly kind: 'black_hole' }
  /** The peer is gone without a word: what it had open stays open, and nothing is read or written any more. */
  | { readonly kind: 'half_open' }
  | { readonly kind: 'not_found' }
  /** Whatever the client sends, it is not the password. */
  | { readonly kind: 'wrong_password' }
  /** 461 to these transports. */
  | { readonly kind: 'no_transport'; readonly transports: readonly ('tcp' | 'udp')[] }
  | { readonly kind: 'packet_loss'; readonly share: number }
  /** Packets change places with the next one of their picture. */
  | { readonly kind: 'reorder'; readonly share: number }
  /** A bit of the payload is turned over. */
  | { readonly kind: 'corrupt'; readonly share: number }
  /** Time stamps leap once, forwards or back. */
  | { readonly kind: 'time_jump'; readonly seconds: number }
  /** All pictures bear the same time stamp. */
  | { readonly kind: 'time_still' }
  /** Another clip in mid-stream: other size, parameter sets, rate, keyframe interval. Clearing brings the first back. */
  | { readonly kind: 'other_clip'; readonly file: string };

export type CameraFaultKind = CameraFault['kind'];

/** Every kind, in the order of the documentation. */
export const CAMERA_FAULT_KINDS: readonly CameraFaultKind[] = [
  'freeze',
  'refuse',
  'black_hole',
  'half_open',
  'not_found',
  'wrong_password',
  'no_transport',
  'packet_loss',
  'reorder',
  'corrupt',
  'time_jump',
  'time_still',
  'other_clip',
];

/** While these last no packet leaves the camera. */
export function isSilent({ kind }: CameraFault): boolean {
  return kind === 'freeze' || kind === 'black_hole' || kind === 'half_open';
}

/** These are noticed only by who connects anew: whoever is connected is thrown out when they begin. */
export function endsSessions({ kind }: CameraFault): boolean {
  return kind === 'refuse' || kind === 'not_found' || kind === 'wrong_password' || kind === 'no_transport';
}

/** Throws `RTSP_FAULT_INVALID` naming what is wrong. */
export function assertFault(fault: CameraFault): void {
  const bad = (what: string) => new AppError('RTSP_FAULT_INVALID', `${fault.kind}: ${what}`, { exitCode: 2 });
  if (!CAMERA_FAULT_KINDS.includes(fault.kind)) throw bad('there is no such fault');
  if ('share' in fault && !(fault.share > 0 && fault.share <= 1)) throw bad('share must be above 0, up to 1');
  if (fault.kind === 'time_jump' && !(Number.isFinite(fault.seconds) && Math.abs(fault.seconds) <= 40_000))
    // Half the circle of 32 bits at 90 kHz is 23 860 s; what lies beyond looks like a leap the other way.
    throw bad('seconds must be between -40000 and 40000');
  if (fault.kind === 'no_transport' && fault.transports.length === 0) throw bad('names no transport');
}
