import { AppError } from '../../lib/errors.js';

/** Which packets are hit: a share of all RTP packets, above 0, up to 1. */
interface Chance {
  readonly share: number;
  /** The same seed hits the same packets of each client, counted from when the fault began. Default 1. */
  readonly seed?: number;
}

/** What can be wrong with a simulated camera. One at a time. */
export type CameraFault =
  /** All connections are cut once. Clients may come back at once. */
  | { readonly kind: 'drop' }
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
  /** 461 to these: interleaved TCP, UDP, TCP inside an HTTP tunnel. */
  | { readonly kind: 'no_transport'; readonly transports: readonly ('tcp' | 'udp' | 'http')[] }
  | ({ readonly kind: 'packet_loss' } & Chance)
  /** Packets change places with the next one of their picture. */
  | ({ readonly kind: 'reorder' } & Chance)
  /** A bit of the payload is turned over. */
  | ({ readonly kind: 'corrupt' } & Chance)
  /** The camera's clock is set, forwards or back: time stamps and sender reports leap once, for good. */
  | { readonly kind: 'time_jump'; readonly seconds: number }
  /** The camera's clock stands: all pictures bear the same time stamp. */
  | { readonly kind: 'time_still' }
  /** Another clip in mid-stream: other size, parameter sets, rate, keyframe interval. Clearing brings the first back. */
  | { readonly kind: 'other_clip'; readonly file: string };

export type CameraFaultKind = CameraFault['kind'];

/** Every kind, in the order of the documentation. */
export const CAMERA_FAULT_KINDS: readonly CameraFaultKind[] = [
  'drop',
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
export function isSilent(fault: CameraFault): boolean {
  return fault.kind === 'freeze' || isDeaf(fault);
}

/** While these last the camera answers nothing. */
export function isDeaf({ kind }: CameraFault): boolean {
  return kind === 'black_hole' || kind === 'half_open';
}

const ENDS_SESSIONS: readonly CameraFaultKind[] = [
  'drop',
  'refuse',
  'not_found',
  'wrong_password',
  'no_transport',
];

/** These are noticed only by who connects anew: whoever is connected is thrown out when they begin. */
export function endsSessions({ kind }: CameraFault): boolean {
  return ENDS_SESSIONS.includes(kind);
}

/** Throws `RTSP_FAULT_INVALID` naming what is wrong. */
export function assertFault(fault: CameraFault): void {
  const bad = (what: string) => new AppError('RTSP_FAULT_INVALID', `${fault.kind}: ${what}`, { exitCode: 2 });
  if (!CAMERA_FAULT_KINDS.includes(fault.kind)) throw bad('there is no such fault');
  if ('share' in fault && !(fault.share > 0 && fault.share <= 1)) throw bad('share must be above 0, up to 1');
  if ('seed' in fault && !Number.isSafeInteger(fault.seed)) throw bad('seed must be a whole number');
  if (fault.kind === 'time_jump' && !(Number.isFinite(fault.seconds) && Math.abs(fault.seconds) <= 40_000))
    // Half the circle of 32 bits at 90 kHz is 23 860 s; what lies beyond looks like a leap the other way.
    throw bad('seconds must be between -40000 and 40000');
  if (fault.kind === 'no_transport' && fault.transports.length === 0) throw bad('names no transport');
  if (fault.kind === 'other_clip' && fault.file === '') throw bad('names no file');
}
