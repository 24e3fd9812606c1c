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
  #stillReport: ClockPair | null = null;

  begin(fault: CameraFault): void {
    if (fault.kind === 'time_jump') this.#leapTicks += Math.round(fault.seconds * RTP_CLOCK_HZ);
    this.#isStill = fault.kind === 'time_still';
  }

  /** A clock that stood goes on with the present time; one that was set stays set. */
  end(): void {
    this.#isStill = false;
    this.#stillTimestamp = null;
    this.#stillReport = null;
  }

  timestamp(right: number): number {
    const timestamp = (right + this.#leapTicks) >>> 0;
    if (!this.#isStill) return timestamp;
    this.#stillTimestamp ??= timestamp;
    return this.#stillTimestamp;
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
