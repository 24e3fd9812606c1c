/** What the packets of a stream tell without being decoded. */
export interface PacketFigures {
  readonly packetCount: number;
  readonly keyframeCount: number;
  /** Length of what was seen, ms. */
  readonly spanMs: number;
  /** Pictures per second; `null` of fewer than two. */
  readonly rateFps: number | null;
  readonly bitrateKbps: number | null;
  /** Median time from one keyframe to the next; `null` of fewer than two. */
  readonly keyframeIntervalMs: number | null;
}

const TIME_BASE = /^#tb 0: (\d+)\/(\d+)/;
/** `stream, dts, pts, duration, size, checksum[, F=flags]`: the flags are left out of a plain keyframe. */
const PACKET = /^0, *(-?\d+), *-?\d+, *-?\d+, *(\d+), *0x[0-9a-f]+(?:, F=0x([0-9A-F]+))?/;
const KEY_FLAG = 1;

/**
 * Reads the list of packets that ffmpeg's `framecrc` writes, worded alike by ffmpeg 4 of 2018 and 5.1. Times are the
 * stream's own; where these stand still or run back, those of arrival.
 */
export class PacketList {
  #unitMs = 1 / 90;
  #packets = 0;
  #bytes = 0;
  readonly #stream: Span = new Span();
  readonly #arrival: Span = new Span();

  /** @param arrivalMs monotonic. */
  read(line: string, arrivalMs: number): void {
    const base = TIME_BASE.exec(line);
    if (base) this.#unitMs = (1000 * Number(base[1])) / Number(base[2]);
    const packet = PACKET.exec(line);
    if (!packet) return;
    const [, dts, size, flags] = packet;
    const isKey = flags === undefined || (Number.parseInt(flags, 16) & KEY_FLAG) !== 0;
    // The first packet's bytes belong to a time before the span.
    if (this.#packets > 0) this.#bytes += Number(size);
    this.#packets += 1;
    this.#stream.note(Number(dts) * this.#unitMs, isKey);
    this.#arrival.note(arrivalMs, isKey);
  }

  get figures(): PacketFigures {
    const span = this.#stream.isRising ? this.#stream : this.#arrival;
    const { lengthMs } = span;
    const hasSpan = this.#packets > 1 && lengthMs > 0;
    return {
      packetCount: this.#packets,
      keyframeCount: span.keyframesMs.length,
      spanMs: lengthMs,
      rateFps: hasSpan ? (1000 * (this.#packets - 1)) / lengthMs : null,
      bitrateKbps: hasSpan ? (8 * this.#bytes) / lengthMs : null,
      keyframeIntervalMs: span.intervalMs,
    };
  }
}

/** Times of packets on one clock. */
class Span {
  #firstMs: number | null = null;
  #lastMs = 0;
  #hasGoneBack = false;
  readonly keyframesMs: number[] = [];

  note(atMs: number, isKey: boolean): void {
    if (this.#firstMs !== null && atMs < this.#lastMs) this.#hasGoneBack = true;
    this.#firstMs ??= atMs;
    this.#lastMs = atMs;
    if (isKey) this.keyframesMs.push(atMs);
  }

  get lengthMs(): number {
    return this.#lastMs - (this.#firstMs ?? this.#lastMs);
  }

  get isRising(): boolean {
    return !this.#hasGoneBack && this.lengthMs > 0;
  }

  get intervalMs(): number | null {
    const steps = this.keyframesMs.slice(1).map((atMs, index) => atMs - this.keyframesMs[index]!);
    steps.sort((a, b) => a - b);
    return steps[Math.floor(steps.length / 2)] ?? null;
  }
}
