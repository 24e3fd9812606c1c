import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import type { AccessUnit } from './access-unit.js';
import { INTERLEAVED_HEADER_BYTES } from './message.js';
import { copyPacketAs } from './rtp.js';

/** The way from one session to its client. Never waits; the session looks at `queuedBytes` before it writes. */
export interface PacketSink {
  /** Bytes accepted and not yet handed to the network. */
  readonly queuedBytes: number;
  /** Bytes handed to the network so far: no progress while bytes are queued means a stuck client. */
  readonly sentBytes: number;
  /** Sends a picture's packets with consecutive sequence numbers. Copies them. */
  writeUnit(unit: AccessUnit, identity: { firstSequence: number; ssrc: number }): void;
  writeControl(rtcp: Buffer): void;
  close(): void;
}

/** RTP and RTCP between the RTSP messages of one TCP connection (RFC 2326, 10.12). One write a picture. */
export class InterleavedSink implements PacketSink {
  constructor(
    private readonly socket: Socket,
    private readonly channels: readonly [rtp: number, rtcp: number],
  ) {}

  get queuedBytes(): number {
    return this.socket.writableLength;
  }

  get sentBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  writeUnit(unit: AccessUnit, identity: { firstSequence: number; ssrc: number }): void {
    if (!this.socket.writable) return;
    const target = Buffer.allocUnsafe(unit.sizeBytes + unit.packets.length * INTERLEAVED_HEADER_BYTES);
    let offset = 0;
    let sequence = identity.firstSequence;
    for (const packet of unit.packets) {
      writeInterleavedHeader(target, offset, this.channels[0], packet.length);
      offset += INTERLEAVED_HEADER_BYTES;
      copyPacketAs(packet, target, offset, { sequence, timestamp: unit.timestamp, ssrc: identity.ssrc });
      offset += packet.length;
      sequence += 1;
    }
    this.socket.write(target);
  }

  writeControl(rtcp: Buffer): void {
    if (!this.socket.writable) return;
    const header = Buffer.alloc(INTERLEAVED_HEADER_BYTES);
    writeInterleavedHeader(header, 0, this.channels[1], rtcp.length);
    this.socket.write(Buffer.concat([header, rtcp]));
  }

  /** The connection is not ours to close: other sessions or requests may use it. */
  close(): void {}
}

function writeInterleavedHeader(target: Buffer, offset: number, channel: number, sizeBytes: number): void {
  target.writeUInt8(0x24, offset);
  target.writeUInt8(channel, offset + 1);
  target.writeUInt16BE(sizeBytes, offset + 2);
}

/**
 * A receiver's socket buffer is small (ffmpeg 4 asks for 64 kB: some 56 packets), and the burst for a late
 * client, sent at once, would be lost in it. So a token bucket: few packets at once, then about 0.7 MB/s, faster
 * only as far as the queue would else take longer than this to empty, as that of a heavy stream would.
 */
const BURST_PACKETS = 24;
const PACKETS_PER_MS = 0.5;
const LONGEST_QUEUE_MS = 500;
const PACE_MS = 5;

/** RTP and RTCP as UDP from a port pair of the session's own, both sockets connected to the client's. */
export class UdpSink implements PacketSink {
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #sentBytes = 0;
  #tokens = BURST_PACKETS;
  #refilledAtMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(
    private readonly rtp: UdpSocket,
    private readonly rtcp: UdpSocket,
  ) {}

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  writeUnit(unit: AccessUnit, identity: { firstSequence: number; ssrc: number }): void {
    if (this.#isClosed) return;
    let sequence = identity.firstSequence;
    for (const packet of unit.packets) {
      const copy = Buffer.allocUnsafe(packet.length);
      copyPacketAs(packet, copy, 0, { sequence, timestamp: unit.timestamp, ssrc: identity.ssrc });
      this.#queue.push(copy);
      this.#queuedBytes += copy.length;
      sequence += 1;
    }
    if (this.#timer === null) this.#send();
  }

  writeControl(rtcp: Buffer): void {
    if (!this.#isClosed) this.rtcp.send(rtcp);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.rtp.close();
    this.rtcp.close();
  }

  #send(): void {
    this.#timer = null;
    const nowMs = performance.now();
    const rate = Math.max(PACKETS_PER_MS, this.#queue.length / LONGEST_QUEUE_MS);
    this.#tokens = Math.min(BURST_PACKETS, this.#tokens + (nowMs - this.#refilledAtMs) * rate);
    this.#refilledAtMs = nowMs;
    const ready = this.#queue.splice(0, Math.floor(this.#tokens));
    this.#tokens -= ready.length;
    for (const packet of ready) {
      this.#queuedBytes -= packet.length;
      this.#sentBytes += packet.length;
      // Without a callback, errors (a client that is gone) arrive as the socket's `error` event.
      this.rtp.send(packet);
    }
    if (this.#queue.length > 0) this.#timer = setTimeout(() => this.#send(), PACE_MS);
  }
}
