import {
  hasMarker,
  isKeyframeNal,
  isRtpPacket,
  isSequenceParameterSetNal,
  makeNalPacket,
  RTP_CLOCK_HZ,
  readNalTypes,
  readTimestamp,
  timestampDistance,
  type VideoCodec,
} from './rtp.js';

/** All RTP packets of one picture. Immutable and shared by every client: copy before changing a header. */
export interface AccessUnit {
  readonly packets: readonly Buffer[];
  /** On the stream's own time line, which goes on across restarts of the packetiser. */
  readonly timestamp: number;
  readonly isKeyframe: boolean;
  /** Of all packets with their RTP headers. */
  readonly sizeBytes: number;
}

/** A picture larger than this is passed on in pieces; an 8K intra picture stays well below. */
const MAX_UNIT_BYTES = 8 * 1024 * 1024;

/**
 * Gathers packets into pictures, ended by the marker or by the next time stamp. Costs no latency worth the name:
 * the packetiser writes the packets of a picture back to back.
 */
export class AccessUnitAssembler {
  #packets: Buffer[] = [];
  #sizeBytes = 0;
  #timestamp = 0;
  #isKeyframe = false;
  #hasParameterSets = false;
  #parameterSets: readonly Buffer[] = [];

  constructor(
    private readonly codec: VideoCodec,
    private readonly onUnit: (unit: AccessUnit) => void,
  ) {}

  /**
   * NAL units to put before every keyframe that comes without its own. MP4 keeps them apart, and the filters of
   * ffmpeg that would put them back fail at the second round of a loop (5.1: "packet sent after an EOF").
   */
  useParameterSets(nals: readonly Buffer[]): void {
    this.#parameterSets = nals;
  }

  push(packet: Buffer): void {
    if (!isRtpPacket(packet)) return;
    const timestamp = readTimestamp(packet);
    if (this.#packets.length > 0 && timestamp !== this.#timestamp) this.#flush();
    this.#timestamp = timestamp;
    this.#packets.push(packet);
    this.#sizeBytes += packet.length;
    for (const type of readNalTypes(packet, this.codec)) {
      this.#isKeyframe ||= isKeyframeNal(type, this.codec);
      this.#hasParameterSets ||= isSequenceParameterSetNal(type, this.codec);
    }
    if (hasMarker(packet) || this.#sizeBytes > MAX_UNIT_BYTES) this.#flush();
  }

  /** Forgets an unfinished picture: its packetiser is gone. */
  reset(): void {
    this.#packets = [];
    this.#sizeBytes = 0;
    this.#isKeyframe = false;
    this.#hasParameterSets = false;
  }

  #flush(): void {
    const [first] = this.#packets;
    if (first && this.#isKeyframe && !this.#hasParameterSets) {
      const added = this.#parameterSets.map((nal) => makeNalPacket(nal, first));
      this.#packets.unshift(...added);
      for (const packet of added) this.#sizeBytes += packet.length;
    }
    const unit: AccessUnit = {
      packets: this.#packets,
      timestamp: this.#timestamp,
      isKeyframe: this.#isKeyframe,
      sizeBytes: this.#sizeBytes,
    };
    this.reset();
    this.onUnit(unit);
  }
}

/**
 * One time line for a stream whose packetiser may die: each run of it begins at a random RTP time stamp, and is
 * moved so that it continues after the last picture by the time that really passed.
 */
export class RtpTimeline {
  #offset = 0;
  #last: { timestamp: number; atMs: number } | null = null;
  #isNewRun = false;

  /** The next time stamp belongs to a new run. */
  beginRun(): void {
    this.#isNewRun = this.#last !== null;
  }

  /** A picture's time stamp, in the order of sending. `nowMs` is monotonic. */
  place(timestamp: number, nowMs: number): number {
    if (this.#isNewRun && this.#last) {
      const gapMs = Math.max(1, nowMs - this.#last.atMs);
      const target = this.#last.timestamp + Math.round((gapMs * RTP_CLOCK_HZ) / 1000);
      this.#offset = timestampDistance(timestamp, target);
      this.#isNewRun = false;
    }
    const placed = (timestamp + this.#offset) >>> 0;
    this.#last = { timestamp: placed, atMs: nowMs };
    return placed;
  }

  /** The same move for a sender report; `null` while a new run's first picture is still to come. */
  translate(timestamp: number): number | null {
    return this.#last === null || this.#isNewRun ? null : (timestamp + this.#offset) >>> 0;
  }
}

/**
 * The pictures since the last keyframe, so that a client that joins in the middle of a group of pictures sees
 * the present at once. Bounded: a group that outgrows the limits is forgotten, and late clients of that group
 * wait for the next keyframe.
 */
export class PictureCache {
  #units: AccessUnit[] = [];
  #sizeBytes = 0;
  readonly #maxBytes: number;
  readonly #maxUnits: number;
  readonly #timestampOf: (right: number) => number;

  /** `timestampOf`: what the camera's clock makes of a picture's time when it is asked for. */
  constructor(
    options: { maxBytes?: number; maxUnits?: number; timestampOf?: (right: number) => number } = {},
  ) {
    this.#timestampOf = options.timestampOf ?? ((right) => right);
    this.#maxBytes = options.maxBytes ?? 8 * 1024 * 1024;
    this.#maxUnits = options.maxUnits ?? 1500;
  }

  add(unit: AccessUnit): void {
    if (unit.isKeyframe) this.clear();
    else if (this.#units.length === 0) return;
    this.#units.push(unit);
    this.#sizeBytes += unit.sizeBytes;
    if (this.#sizeBytes > this.#maxBytes || this.#units.length > this.#maxUnits) this.clear();
  }

  clear(): void {
    this.#units = [];
    this.#sizeBytes = 0;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Begins with a keyframe; those after `afterTimestamp` where it is given; empty when nothing is known. */
  units(afterTimestamp: number | null): AccessUnit[] {
    const units = this.#units.map((unit) => ({ ...unit, timestamp: this.#timestampOf(unit.timestamp) }));
    if (afterTimestamp === null) return units;
    return units.filter((unit) => timestampDistance(afterTimestamp, unit.timestamp) > 0);
  }
}
