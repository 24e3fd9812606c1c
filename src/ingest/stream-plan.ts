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
  /** `auto`: TCP, then UDP, then HTTP, until pictures come. */
  readonly transport: RtspTransport | 'auto';
  readonly decoding: Decoding;
  /** What the ffmpeg at hand was built with. */
  readonly hwaccels: readonly string[];
}

/** What a run showed. */
export interface RunOutcome {
  readonly end: RunEnd;
  readonly frameCount: number;
  /** ffmpeg's complaints, without credentials. */
  readonly problems: readonly string[];
}

/**
 * Frames are chosen by their time stamps, so that a stream whose time stands still shows itself once (ffmpeg of 2018)
 * or never (5.1). A camera that hangs looks the same; then the other way of counting does no harm.
 */
const STANDING_FRAMES = 2;
/** Ends that another transport cannot mend: nobody answered, or the answer was plain. */
const NOT_THE_TRANSPORT = new Set<RunEnd['reason']>([
  'refused',
  'unreachable',
  'unauthorized',
  'not_found',
  'spawn_failed',
  'configuration',
  'end_of_file',
]);
const TRANSPORT_REFUSED =
  /\b461\b|Unsupported transport|Nonmatching transport|Protocol not supported|\b405\b|\b501\b/i;
const HARDWARE_FAILED =
  /hwaccel|hwdevice|Device creation failed|Device setup failed|No device available|Failed to (?:initialise|create|set up).*(?:VAAPI|CUDA|QSV|device)|Cannot load (?:libcuda|libva|nvcuvid)|vaInitialize|No VA display|hardware device|Error creating a (?:MFX|QSV|CUDA)/i;

/**
 * Chooses how the next run reads the stream from what the last ones showed, and stays with what works. A transport
 * that brought pictures is kept until the stream was lost over it and does not come back by it; hardware that failed
 * is not tried again in this life of the camera, and `fallback` says so.
 */
export class StreamPlanner {
  readonly #wishes: StreamWishes;
  #transportIndex = 0;
  #decoding: Decoding;
  #fallback: string | null = null;
  #timestamps: StreamPlan['timestamps'] = 'stream';

  constructor(wishes: StreamWishes) {
    this.#wishes = wishes;
    this.#decoding = wishes.decoding;
    const { decoding, hwaccels } = wishes;
    if (decoding !== 'none' && decoding !== 'auto' && !hwaccels.includes(decoding))
      this.#fallBack(`this ffmpeg was built without ${decoding} (it has: ${hwaccels.join(', ') || 'none'})`);
  }

  get plan(): StreamPlan {
    const { transport } = this.#wishes;
    return {
      transport: transport === 'auto' ? RTSP_TRANSPORTS[this.#transportIndex]! : transport,
      decoding: this.#decoding,
      timestamps: this.#timestamps,
    };
  }

  /** Why decoding goes on the CPU although something else was asked for; `null` where it does not. */
  get fallback(): string | null {
    return this.#fallback;
  }

  /** @returns what changes for the next run, in plain words, or `null`. */
  note({ end, frameCount, problems }: RunOutcome): string | null {
    if (end.reason === 'stopped') return null;
    const isStanding = end.reason === 'no_frames' && frameCount <= STANDING_FRAMES;
    if (isStanding || end.reason === 'connect_timeout')
      this.#timestamps = this.#timestamps === 'stream' ? 'arrival' : 'stream';
    if (isStanding) return `the pictures stop after the first: trying the time stamps of ${this.#timestamps}`;
    if (frameCount > 0) return null;
    const failed =
      this.#decoding === 'none' ? undefined : problems.find((text) => HARDWARE_FAILED.test(text));
    if (failed !== undefined) {
      this.#fallBack(failed);
      return this.#fallback;
    }
    if (this.#wishes.transport !== 'auto') return null;
    const isRefused = problems.some((text) => TRANSPORT_REFUSED.test(text));
    if (!isRefused && NOT_THE_TRANSPORT.has(end.reason)) return null;
    const before = this.plan.transport;
    this.#transportIndex = (this.#transportIndex + 1) % RTSP_TRANSPORTS.length;
    return `no picture over ${before}: trying ${this.plan.transport}`;
  }

  #fallBack(why: string): void {
    this.#fallback = `decoding on the CPU instead of by ${this.#decoding}: ${why}`;
    this.#decoding = 'none';
  }
}
