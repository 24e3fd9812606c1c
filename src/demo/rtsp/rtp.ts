/** RTP and RTCP packets (RFC 3550) of H.264 (RFC 6184) and H.265 (RFC 7798) video, as far as a relay needs them. */

export const RTP_HEADER_BYTES = 12;
export const RTP_CLOCK_HZ = 90_000;
export type VideoCodec = 'h264' | 'h265';

const RTP_VERSION = 2;
const RTCP_SENDER_REPORT = 200;
const RTCP_SOURCE_DESCRIPTION = 202;
const SDES_CNAME = 1;

export function isRtpPacket(packet: Buffer): boolean {
  return packet.length > RTP_HEADER_BYTES && packet.readUInt8(0) >> 6 === RTP_VERSION;
}

/** The last packet of a picture carries the marker. */
export function hasMarker(packet: Buffer): boolean {
  return (packet.readUInt8(1) & 0x80) !== 0;
}

export function readTimestamp(packet: Buffer): number {
  return packet.readUInt32BE(4);
}

/** How far `b` lies after `a` on the 32-bit circle, in [-2^31, 2^31). */
export function timestampDistance(a: number, b: number): number {
  return (b - a) | 0;
}

export interface RtpIdentity {
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** Copies a packet into `target` at `offset` and gives the copy another identity. Payload type and marker stay. */
export function copyPacketAs(packet: Buffer, target: Buffer, offset: number, identity: RtpIdentity): void {
  packet.copy(target, offset);
  target.writeUInt16BE(identity.sequence & 0xffff, offset + 2);
  target.writeUInt32BE(identity.timestamp >>> 0, offset + 4);
  target.writeUInt32BE(identity.ssrc >>> 0, offset + 8);
}

/**
 * Types of the NAL units that lie, whole or in part, in a packet: looks into aggregation and fragmentation units
 * (RFC 6184, 5; RFC 7798, 4.4).
 */
export function readNalTypes(packet: Buffer, codec: VideoCodec): number[] {
  const isH264 = codec === 'h264';
  const start = RTP_HEADER_BYTES + (packet.readUInt8(0) & 0x0f) * 4;
  const headerBytes = isH264 ? 1 : 2;
  if (start + headerBytes >= packet.length) return [];
  const typeAt = (at: number) => (isH264 ? packet.readUInt8(at) & 0x1f : (packet.readUInt8(at) >> 1) & 0x3f);
  const type = typeAt(start);
  if (type === (isH264 ? H264_FU_A : H265_FRAGMENTATION)) {
    return [packet.readUInt8(start + headerBytes) & (isH264 ? 0x1f : 0x3f)];
  }
  if (type !== (isH264 ? H264_STAP_A : H265_AGGREGATION)) return [type];
  const types: number[] = [];
  // Aggregated units: 16-bit size, then the unit, repeated.
  for (let at = start + headerBytes; at + 2 < packet.length; at += 2 + packet.readUInt16BE(at)) {
    types.push(typeAt(at + 2));
  }
  return types;
}

const H264_STAP_A = 24;
const H264_FU_A = 28;
const H265_AGGREGATION = 48;
const H265_FRAGMENTATION = 49;

/** A picture that decoding can start at: IDR, for H.265 any IRAP picture. */
export function isKeyframeNal(type: number, codec: VideoCodec): boolean {
  return codec === 'h264' ? type === 5 : type >= 16 && type <= 21;
}

export function isSequenceParameterSetNal(type: number, codec: VideoCodec): boolean {
  return type === (codec === 'h264' ? 7 : 33);
}

/** One NAL unit as a packet of its own; payload type and identity as those of `like`, no marker. */
export function makeNalPacket(nal: Buffer, like: Buffer): Buffer {
  const header = Buffer.from(like.subarray(0, RTP_HEADER_BYTES));
  header.writeUInt8(RTP_VERSION << 6, 0);
  header.writeUInt8(header.readUInt8(1) & 0x7f, 1);
  return Buffer.concat([header, nal]);
}

/** One instant on both clocks: NTP (seconds since 1900 and 32-bit fraction) and RTP. */
export interface ClockPair {
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
}

/** The clock pair of a sender report, or `null` where the packet does not begin with one. */
export function readSenderReport(packet: Buffer): ClockPair | null {
  if (packet.length < 28 || packet.readUInt8(0) >> 6 !== RTP_VERSION) return null;
  if (packet.readUInt8(1) !== RTCP_SENDER_REPORT) return null;
  return {
    ntpSeconds: packet.readUInt32BE(8),
    ntpFraction: packet.readUInt32BE(12),
    rtpTimestamp: packet.readUInt32BE(16),
  };
}

/** A compound packet as RFC 3550, 6.1 asks for: sender report without report blocks, then SDES with CNAME. */
export function makeSenderReport(
  clock: ClockPair,
  sender: { ssrc: number; packetCount: number; octetCount: number; cname: string },
): Buffer {
  const cname = Buffer.from(sender.cname, 'utf8').subarray(0, 255);
  // SSRC, item type and length, text, at least one zero, padded to 32 bits.
  const sdesBytes = 4 + Math.ceil((4 + 2 + cname.length + 1) / 4) * 4;
  const packet = Buffer.alloc(28 + sdesBytes);
  packet.writeUInt8(RTP_VERSION << 6, 0);
  packet.writeUInt8(RTCP_SENDER_REPORT, 1);
  packet.writeUInt16BE(6, 2);
  packet.writeUInt32BE(sender.ssrc >>> 0, 4);
  packet.writeUInt32BE(clock.ntpSeconds, 8);
  packet.writeUInt32BE(clock.ntpFraction, 12);
  packet.writeUInt32BE(clock.rtpTimestamp, 16);
  packet.writeUInt32BE(sender.packetCount >>> 0, 20);
  packet.writeUInt32BE(sender.octetCount >>> 0, 24);
  packet.writeUInt8((RTP_VERSION << 6) | 1, 28);
  packet.writeUInt8(RTCP_SOURCE_DESCRIPTION, 29);
  packet.writeUInt16BE(sdesBytes / 4 - 1, 30);
  packet.writeUInt32BE(sender.ssrc >>> 0, 32);
  packet.writeUInt8(SDES_CNAME, 36);
  packet.writeUInt8(cname.length, 37);
  cname.copy(packet, 38);
  return packet;
}
