import { randomBytes } from 'node:crypto';
import type { AccessUnit } from './access-unit.js';
import type { LinkKind } from './client-link.js';
import type { PacketSink } from './packet-sink.js';
import {
  type ClockPair,
  makeSenderReport,
  RTP_CLOCK_HZ,
  RTP_HEADER_BYTES,
  timestampDistance,
} from './rtp.js';
import type { CameraStream, StreamSubscriber } from './stream.js';

/** Above this a client counts as slow and loses whole pictures until the next keyframe that fits again. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const RESUME_QUEUED_BYTES = MAX_QUEUED_BYTES / 2;
/** In RTP ticks: what goes back further than B-frames do is a clock that was set back. */
const LONGEST_STEP_BACK = 5 * RTP_CLOCK_HZ;

export interface RtspSessionStats {
  readonly id: string;
  readonly path: string;
  readonly transport: 'tcp' | 'udp';
  /** How the client speaks; over TCP its packets come the same way. */
  readonly link: LinkKind;
  readonly state: 'ready' | 'playing' | 'closed';
  readonly sentPackets: number;
  /** Not sent because the client took too little; they leave a gap in its sequence numbers. */
  readonly droppedPackets: number;
  readonly queuedBytes: number;
}

/** What a session needs of its stream. */
export type SessionStream = Pick<
  CameraStream,
  'path' | 'cache' | 'isFrozen' | 'lastReport' | 'subscribe' | 'unsubscribe'
>;

/**
 * One client of one stream (RFC 2326, 3): its transport, its state, its own SSRC and sequence numbers. Time
 * stamps are the stream's.
 */
export class RtspSession implements StreamSubscriber {
  readonly id = randomBytes(8).toString('hex');
  readonly ssrc = randomBytes(4).readUInt32BE(0);
  #state: 'ready' | 'playing' | 'closed' = 'ready';
  #nextSequence = randomBytes(2).readUInt16BE(0);
  #lastTimestamp: number | null = null;
  #isDropping = false;
  #sentPackets = 0;
  #sentOctets = 0;
  #droppedPackets = 0;
  #lastAliveMs: number;
  #lastSentBytes = 0;

  constructor(
    readonly stream: SessionStream,
    readonly transport: 'tcp' | 'udp',
    private readonly sink: PacketSink,
    private readonly onClose: (session: RtspSession) => void,
    private readonly nowMs: () => number,
    readonly link: LinkKind = 'rtsp',
  ) {
    this.#lastAliveMs = nowMs();
  }

  get state(): 'ready' | 'playing' | 'closed' {
    return this.#state;
  }

  /** The client showed that it is there: a request, a receiver report. */
  keepAlive(): void {
    this.#lastAliveMs = this.nowMs();
  }

  /**
   * Whether to give the session up. A TCP client need not say that it is alive: its connection tells, as long
   * as what is queued for it still moves.
   */
  isExpired(timeoutMs: number): boolean {
    const sentBytes = this.sink.sentBytes;
    if (this.transport === 'tcp' && (this.sink.queuedBytes === 0 || sentBytes !== this.#lastSentBytes)) {
      this.#lastSentBytes = sentBytes;
      this.keepAlive();
    }
    return this.nowMs() - this.#lastAliveMs > timeoutMs;
  }

  /** What RTP-Info tells: the first packet that `play` will send, as far as it is known now. */
  nextPacket(): { sequence: number; timestamp: number | null } {
    const first = this.stream.isFrozen ? undefined : this.stream.cache.units(this.#lastTimestamp)[0];
    return { sequence: this.#nextSequence, timestamp: first?.timestamp ?? null };
  }

  /** Begins with the pictures since the last keyframe, in a burst. No effect while playing. */
  play(): void {
    if (this.#state !== 'ready') return;
    this.#state = 'playing';
    if (this.stream.lastReport && !this.stream.isFrozen) this.deliverReport(this.stream.lastReport);
    this.stream.subscribe(this);
  }

  pause(): void {
    if (this.#state !== 'playing') return;
    this.#state = 'ready';
    this.stream.unsubscribe(this);
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.stream.unsubscribe(this);
    this.sink.close();
    this.onClose(this);
  }

  catchUp(): void {
    for (const unit of this.stream.cache.units(this.#lastTimestamp)) this.deliver(unit);
  }

  deliver(unit: AccessUnit): void {
    const queuedBytes = this.sink.queuedBytes;
    if (queuedBytes + unit.sizeBytes > MAX_QUEUED_BYTES) this.#isDropping = true;
    else if (unit.isKeyframe && queuedBytes <= RESUME_QUEUED_BYTES) this.#isDropping = false;
    const firstSequence = this.#nextSequence;
    this.#nextSequence = (firstSequence + unit.packets.length) & 0xffff;
    // Pictures come in decoding order: with B-frames a time stamp may be smaller than the one before.
    const step = this.#lastTimestamp === null ? 1 : timestampDistance(this.#lastTimestamp, unit.timestamp);
    if (step > 0 || step < -LONGEST_STEP_BACK) this.#lastTimestamp = unit.timestamp;
    if (this.#isDropping) {
      this.#droppedPackets += unit.packets.length;
      return;
    }
    this.#sentPackets += unit.packets.length;
    this.#sentOctets += unit.sizeBytes - unit.packets.length * RTP_HEADER_BYTES;
    this.sink.writeUnit(unit, { firstSequence, ssrc: this.ssrc });
  }

  deliverReport(clock: ClockPair): void {
    if (this.#isDropping) return;
    this.sink.writeControl(
      makeSenderReport(clock, {
        ssrc: this.ssrc,
        packetCount: this.#sentPackets,
        octetCount: this.#sentOctets,
        cname: 'maskwatch-simulated-camera',
      }),
    );
  }

  stats(): RtspSessionStats {
    return {
      id: this.id,
      path: this.stream.path,
      transport: this.transport,
      link: this.link,
      state: this.#state,
      sentPackets: this.#sentPackets,
      droppedPackets: this.#droppedPackets,
      queuedBytes: this.sink.queuedBytes,
    };
  }
}
