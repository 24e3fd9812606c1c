import type { CameraFault } from './faults.js';
import { type ClockPair, RTP_CLOCK_HZ } from './rtp.js';

/**
 * What a camera's clock makes of the time: right, unless it was set (`time_jump`) or stands (`time_still`). Time stamps
 * and sender reports agree with each other, as they do where both come from one clock.
 */
export class FaultyClock {
  /** What leaps have added for good. */
  #leapTicks = 0;
  #isStill = false;
  #stillTimestamp: number | null = null;
  #lastTimestamp: number | null = null;
  #stillReport: ClockPair | null = null;

  begin(fault: CameraFault): void {
    if (fault.kind === 'time_jump') this.#leapTicks += Math.round(fault.seconds * RTP_CLOCK_HZ);
    if (fault.kind !== 'time_still') return;
    this.#isStill = true;
    this.#stillTimestamp = this.#lastTimestamp;
  }

  /** A clock that stood goes on with the present time; one that was set stays set. */
  end(): void {
    this.#isStill = false;
    this.#stillTimestamp = null;
    this.#stillReport = null;
  }

  /** What the clock says at a picture that comes now. */
  advance(right: number): number {
    this.#lastTimestamp = this.timestamp(right);
    if (this.#isStill) this.#stillTimestamp ??= this.#lastTimestamp;
    return this.#lastTimestamp;
  }

  /** What it makes of any other time, so that one who comes late gets the last pictures without a leap among them. */
  timestamp(right: number): number {
    return this.#stillTimestamp ?? (right + this.#leapTicks) >>> 0;
  }

  report(right: ClockPair): ClockPair {
    if (this.#stillReport) return this.#stillReport;
    const leap = BigInt(Math.round((this.#leapTicks / RTP_CLOCK_HZ) * 2 ** 32));
    const ntp = BigInt.asUintN(64, (BigInt(right.ntpSeconds) << 32n) + BigInt(right.ntpFraction) + leap);
    const report = {
      ntpSeconds: Number(ntp >> 32n),
      ntpFraction: Number(ntp & 0xffff_ffffn),
      rtpTimestamp: (right.rtpTimestamp + this.#leapTicks) >>> 0,
    };
    if (this.#isStill) this.#stillReport = report;
    return report;
  }
}
