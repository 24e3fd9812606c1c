import { streamKind } from '../ingest/ffmpeg-arguments.js';
import type { RunEnd } from '../ingest/frame-source.js';
import type { PacketFigures } from '../ingest/packet-list.js';
import type { StreamPlan } from '../ingest/stream-plan.js';
import type { WatchedPictures } from './face-watch.js';
import type { ProbeRules, ProbeTarget } from './probe-target.js';
import type { WatchedStream } from './watch-stream.js';

/** What one look at a stream brought together. */
export interface ProbeFindings {
  readonly target: ProbeTarget;
  readonly rules: ProbeRules;
  /** `null` where nobody was there. */
  readonly stream: WatchedStream | null;
  readonly pictures: WatchedPictures | null;
  readonly packets: PacketFigures | null;
  /** See StreamTiming; left out where pictures keep no time of their own (files) or none came. */
  readonly jitterMs?: number;
  /** Why the camera cannot be watched; `null`: it can. */
  readonly end: RunEnd | null;
}

/** Over what pictures come: RTSP's transport, or what the address says. */
export function transportOf({ url }: Pick<ProbeTarget, 'url'>, plan: Pick<StreamPlan, 'transport'>): string {
  const kind = streamKind(url);
  if (kind === 'rtsp') return plan.transport;
  return kind === 'file' || kind === 'device' ? kind : 'http';
}
