import { type Decoding, RTSP_TRANSPORTS, type RtspTransport } from './ffmpeg-input-options.js';
import type { RunEnd } from './frame-source.js';

/** How one run reads a stream, where the configuration leaves it open. */
export interface StreamPlan {
  readonly transport: RtspTransport;
  readonly decoding: Decoding;
  /** Whose time pictures bear: the stream's, or that of their arrival, where the stream's stands still. */
  readonly timestamps: 'stream' | 'arrival';
}

export interface StreamWishes {
  /** `auto`: TCP, then UDP, then HTTP, until pictures come. `null`: it is no RTSP, so there is one way only. */
  readonly transport: RtspTransport | 'auto' | null;
  readonly decoding: Decoding;
  /** What the ffmpeg at hand was built with. */
  readonly hwaccels: readonly string[];
}

/** What a run showed. */
export interface RunOutcome {
  readonly end: RunEnd;
  readonly frameCount: number;
  /** From its first picture to its last, ms. */
  readonly liveMs: number;
  /** ffmpeg's complaints, without credentials. */
  readonly problems: readonly string[];
}

/**
 * Frames are chosen by their time stamps, so that a stream whose time stands still shows itself once (ffmpeg of 2018)
 * or never (5.1). A camera that hangs looks the same; then the other way of counting does no harm.
 */
const STANDING_FRAMES = 2;
/** Ends that no other way to read can mend: nobody answered, or the answer was plain. */
const NOT_THE_WAY = new Set<RunEnd['reason']>([
  'refused',
  'unreachable',
  'unauthorized',
  'not_found',
  'spawn_failed',
  'configuration',
  'end_of_file',
]);
/**
 * Only what ffmpeg itself says (4 of 2018 and 5.1 alike): `method SETUP failed: 461 …`, of the tunnel `HTTP error 404 …`.
 * The numbers alone may stand in the address, which ffmpeg repeats.
 */
const TRANSPORT_REFUSED =
  /\bfailed: (?:405|461|501)\b|Unsupported transport|Nonmatching transport|Protocol not supported/i;
const TUNNEL_REFUSED = /^HTTP error (?!401|403)[45]\d\d\b/;
const HARDWARE_FAILED =
  /hwaccel|hwdevice|Device creation failed|Device setup failed|No device available|Failed to (?:initialise|create|set up).*(?:VAAPI|CUDA|QSV|device)|Cannot load (?:libcuda|libva|nvcuvid)|vaInitialize|No VA display|hardware device|Error creating a (?:MFX|QSV|CUDA)/i;

/** Pictures over the second-best way for so long, all runs together: then the best is tried again, ms. */
const RETURN_AFTER_MS = 600_000;
const RETURN_AFTER_MAX_MS = 86_400_000;
/** So long it must bring pictures then to be taken for what works, ms. */
const PROVEN_AFTER_MS = 60_000;

type Way = Pick<StreamPlan, 'transport' | 'timestamps'>;

/**
 * Chooses how the next run reads the stream from what the last ones showed, and stays with what works. A transport
 * that brought pictures is kept until the stream was lost over it and does not come back by it. One slow boot must not
 * decide for ever: after a long time over any way but the best (the first transport, the stream's own time stamps) the
 * best gets one run again, and if that fails what worked is next. Hardware that failed is not tried again in this life of
 * the camera, and `fallback` says so.
 */
export class StreamPlanner {
  readonly #isRtsp: boolean;
  readonly #transports: readonly RtspTransport[];
  #transportIndex = 0;
  #timestamps: StreamPlan['timestamps'] = 'stream';
  #decoding: Decoding;
  #fallback: string | null = null;
  /** Ways that failed since the time stamps were changed, or since pictures came. */
  #failedWays = 0;
  /** One of them brought no picture in time, as a stream whose time stands still does. */
  #hasTimedOut = false;
  /** What worked until now, while the best way is tried again. */
  #proven: Way | null = null;
  /** How long pictures came over the present way, if it is not the best. */
  #secondBestMs = 0;
  #returnAfterMs = RETURN_AFTER_MS;

  constructor(wishes: StreamWishes) {
    const { transport, decoding, hwaccels } = wishes;
    this.#isRtsp = transport !== null;
    this.#transports = transport === 'auto' ? RTSP_TRANSPORTS : [transport ?? 'tcp'];
    this.#decoding = decoding;
    if (decoding !== 'none' && decoding !== 'auto' && !hwaccels.includes(decoding))
      this.#fallBack(`this ffmpeg was built without ${decoding} (it has: ${hwaccels.join(', ') || 'none'})`);
  }

  get plan(): StreamPlan {
    return {
      transport: this.#transports[this.#transportIndex]!,
      decoding: this.#decoding,
      timestamps: this.#timestamps,
    };
  }

  /** Why decoding goes on the CPU although something else was asked for; `null` where it does not. */
  get fallback(): string | null {
    return this.#fallback;
  }

  /**
   * The present run decodes on the CPU although hardware was asked for.
   *
   * @returns the same in plain words, or `null` where it was said before.
   */
  noteCpuDecoding(why: string): string | null {
    if (this.#decoding === 'none') return null;
    this.#fallBack(why);
    return this.#fallback;
  }

  /** @returns what changes for the next run, in plain words, or `null`. */
  note(outcome: RunOutcome): string | null {
    const { end, frameCount, problems } = outcome;
    if (end.reason === 'stopped') return null;
    const isStanding = end.reason === 'no_frames' && frameCount <= STANDING_FRAMES;
    if (frameCount > 0 && !isStanding) return this.#noteWorked(outcome.liveMs);
    const failed =
      this.#decoding === 'none' || isStanding
        ? undefined
        : problems.find((text) => HARDWARE_FAILED.test(text));
    if (failed !== undefined) {
      this.#fallBack(failed);
      return this.#fallback;
    }
    // Whoever is turned away as a stranger, or finds no such stream, would be so in every way.
    if (!this.#isRtsp) return null;
    if (end.reason === 'unauthorized' || isNoSuchStream(outcome)) {
      // But some cameras have a tunnel that lets nobody in: it must not be where one slow boot has led for good.
      if (this.plan.transport === 'http') this.#transportIndex = 0;
      return null;
    }
    if (this.#proven !== null) return this.#goBack(this.#proven);
    if (!isStanding && !this.#isFaultOfWay(outcome)) return null;
    this.#secondBestMs = 0;
    if (isStanding) {
      this.#changeTimestamps();
      return `the pictures stop after the first: trying the time stamps of ${this.#timestamps}`;
    }
    return this.#nextWay(end);
  }

  #noteWorked(liveMs: number): string | null {
    if (this.#proven !== null && liveMs < PROVEN_AFTER_MS) return this.#goBack(this.#proven);
    this.#failedWays = 0;
    this.#hasTimedOut = false;
    this.#proven = null;
    if (this.#transportIndex === 0 && this.#timestamps === 'stream') {
      this.#returnAfterMs = RETURN_AFTER_MS;
      return null;
    }
    this.#secondBestMs += liveMs;
    if (this.#secondBestMs < this.#returnAfterMs) return null;
    this.#secondBestMs = 0;
    this.#proven = this.plan;
    this.#transportIndex = 0;
    this.#timestamps = 'stream';
    return `trying ${describe(this.plan)} again, after a long time over ${describe(this.#proven)}`;
  }

  /** Whether another transport, or other time stamps, might have brought pictures. */
  #isFaultOfWay({ end, problems }: RunOutcome): boolean {
    // A port that speaks RTSP only refuses HTTP, or hangs up on it.
    if (this.plan.transport === 'http' && (isTunnelRefused(problems) || end.reason === 'unreachable'))
      return true;
    return problems.some((text) => TRANSPORT_REFUSED.test(text)) || !NOT_THE_WAY.has(end.reason);
  }

  /** The best way failed once more: what worked before, and longer until the next trial. */
  #goBack(proven: Way): string {
    const failed = describe(this.plan);
    this.#proven = null;
    this.#transportIndex = this.#transports.indexOf(proven.transport);
    this.#timestamps = proven.timestamps;
    this.#returnAfterMs = Math.min(RETURN_AFTER_MAX_MS, 2 * this.#returnAfterMs);
    return `no lasting pictures over ${failed}: back to ${describe(this.plan)}`;
  }

  /** One transport after the other; when all have failed, and not all by refusing, the same with the other time stamps. */
  #nextWay(end: RunEnd): string | null {
    const before = this.plan;
    this.#failedWays += 1;
    this.#hasTimedOut ||= end.reason === 'connect_timeout';
    this.#transportIndex = (this.#transportIndex + 1) % this.#transports.length;
    if (this.#failedWays >= this.#transports.length && this.#hasTimedOut) this.#changeTimestamps();
    const { transport, timestamps } = this.plan;
    const words = timestamps === before.timestamps ? '' : ` with the time stamps of ${timestamps}`;
    if (transport !== before.transport)
      return `no picture over ${before.transport}: trying ${transport}${words}`;
    return words === '' ? null : `no picture in time over ${transport}: trying it${words}`;
  }

  #changeTimestamps(): void {
    this.#timestamps = this.#timestamps === 'stream' ? 'arrival' : 'stream';
    this.#failedWays = 0;
    this.#hasTimedOut = false;
  }

  #fallBack(why: string): void {
    this.#fallback = `decoding on the CPU instead of by ${this.#decoding}: ${why}`;
    this.#decoding = 'none';
  }
}

/** The 404 of a tunnel says that there is no tunnel. */
function isNoSuchStream({ end, problems }: RunOutcome): boolean {
  return end.reason === 'not_found' && !isTunnelRefused(problems);
}

function isTunnelRefused(problems: readonly string[]): boolean {
  return problems.some((text) => TUNNEL_REFUSED.test(text));
}

function describe({ transport, timestamps }: Way): string {
  return `${transport} with the time stamps of ${timestamps}`;
}
