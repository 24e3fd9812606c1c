import { EventEmitter, once } from 'node:events';
import { AppError } from '../../lib/errors.js';
import { type AccessUnit, AccessUnitAssembler, PictureCache, RtpTimeline } from './access-unit.js';
import type { StreamAuth } from './auth.js';
import { assertFault, type CameraFault, isSilent } from './faults.js';
import { FaultyClock } from './faulty-clock.js';
import { Packetiser } from './packetiser.js';
import type { PublishGate } from './publish-gate.js';
import { type ClockPair, readSenderReport, type VideoCodec } from './rtp.js';
import { type MediaDescription, readParameterSets } from './session-description.js';

export interface StreamOptions {
  /** The URL's path, beginning with `/`. */
  readonly path: string;
  /** A video file, encoded already; prepare others with `prepareClip`. */
  readonly file: string;
  readonly auth?: StreamAuth;
  /** Of the file's video. Default `h264`. */
  readonly codec?: VideoCodec;
}

export type RtspLog = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** A session in its playing state. */
export interface StreamSubscriber {
  deliver(unit: AccessUnit): void;
  deliverReport(clock: ClockPair): void;
  /** Sends what the cache holds and this client has not had. */
  catchUp(): void;
}

const DESCRIPTION_TIMEOUT_MS = 10_000;
const FIRST_PICTURE_TIMEOUT_MS = 3_000;

/**
 * One camera: a looping clip, turned into RTP once and relayed to any number of sessions. The packetiser starts
 * with the first client and then keeps going, as a camera does whether or not anybody watches.
 */
export class CameraStream {
  readonly path: string;
  readonly auth: StreamAuth | null;
  readonly #subscribers = new Set<StreamSubscriber>();
  readonly #timeline = new RtpTimeline();
  readonly #packetiser: Packetiser;
  readonly #assembler: AccessUnitAssembler;
  readonly #events = new EventEmitter<{ described: []; failed: [string]; unit: [] }>();
  readonly #closing = new AbortController();
  #description: MediaDescription | null = null;
  #lastReport: ClockPair | null = null;
  /** A run's first report comes before its first picture, which places it on the time line. */
  #unplacedReport: ClockPair | null = null;
  #fault: CameraFault | null = null;
  readonly #clock = new FaultyClock();
  readonly cache = new PictureCache({ timestampOf: (right) => this.#clock.timestamp(right) });
  #faultyPackets = 0;
  #faultyAnswers = 0;
  readonly #file: string;
  #shownFile: string;
  #pictureCount = 0;
  #keyframeCount = 0;

  constructor(options: StreamOptions & { ffmpegPath: string; gate: PublishGate; log: RtspLog }) {
    this.path = options.path;
    this.auth = options.auth ?? null;
    this.#file = options.file;
    this.#shownFile = options.file;
    this.#events.setMaxListeners(0);
    this.#assembler = new AccessUnitAssembler(options.codec ?? 'h264', (unit) => this.#relay(unit));
    this.#packetiser = new Packetiser({
      file: options.file,
      ffmpegPath: options.ffmpegPath,
      gate: options.gate,
      publication: {
        described: (media) => {
          this.#description = media;
          this.#assembler.useParameterSets(readParameterSets(media));
          this.#events.emit('described');
        },
        rtp: (packet) => this.#assembler.push(packet),
        rtcp: (packet) => this.#relayReport(packet),
      },
      onRunBegin: (file) => {
        // Who comes now is to learn nothing of the clip before.
        if (file !== this.#shownFile) {
          this.#description = null;
          this.cache.clear();
        }
        this.#shownFile = file;
        this.#assembler.reset();
        this.#timeline.beginRun();
        this.#unplacedReport = null;
      },
      onRunEnd: ({ message, hasPublished }) => {
        options.log('camera packetiser ended', { path: this.path, file: options.file, message });
        if (!hasPublished) this.#events.emit('failed', message);
      },
    });
  }

  /** No packet leaves the camera. */
  get isFrozen(): boolean {
    return this.#fault !== null && isSilent(this.#fault);
  }

  get fault(): CameraFault | null {
    return this.#fault;
  }

  /** Counts a packet that a fault took, moved or damaged. */
  noteFaultyPacket(): void {
    this.#faultyPackets += 1;
  }

  /** Counts a request that a fault answered, or left without an answer. */
  noteFaultyAnswer(): void {
    this.#faultyAnswers += 1;
  }

  /** By the camera's own clock. */
  get lastReport(): ClockPair | null {
    return this.#lastReport && this.#clock.report(this.#lastReport);
  }

  /**
   * Starts the camera where it sleeps and resolves with what DESCRIBE tells. Throws `RTSP_SOURCE_FAILED` when
   * the file gives no stream.
   */
  async describe(): Promise<MediaDescription> {
    this.#packetiser.start();
    if (this.#description) return this.#description;
    await this.#first(['described', 'failed'], DESCRIPTION_TIMEOUT_MS);
    if (this.#description) return this.#description;
    throw new AppError('RTSP_SOURCE_FAILED', `no stream comes from the clip of ${this.path}`, {
      retryable: true,
    });
  }

  /** Resolves once a keyframe is in the cache, or after a few seconds without one. */
  async warmUp(): Promise<void> {
    this.#packetiser.start();
    if (this.cache.sizeBytes === 0) await this.#first(['unit'], FIRST_PICTURE_TIMEOUT_MS);
  }

  subscribe(subscriber: StreamSubscriber): void {
    this.#subscribers.add(subscriber);
    if (!this.isFrozen) subscriber.catchUp();
  }

  unsubscribe(subscriber: StreamSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Takes the place of the present fault. Throws `RTSP_FAULT_INVALID`. */
  setFault(fault: CameraFault): void {
    assertFault(fault);
    this.clearFault();
    // A copy: each fault is one of its own, even where the caller uses an object twice.
    this.#fault = { ...fault };
    this.#clock.begin(fault);
    if (fault.kind === 'other_clip') this.#packetiser.play(fault.file);
  }

  /** The camera is well again, from the present on: with the last keyframe for clients that missed one. */
  clearFault(): void {
    const fault = this.#fault;
    if (!fault) return;
    this.#fault = null;
    this.#clock.end();
    if (fault.kind === 'other_clip') this.#packetiser.play(this.#file);
    if (isSilent(fault)) for (const subscriber of this.#subscribers) subscriber.catchUp();
  }

  stats(): CameraStreamStats {
    return {
      path: this.path,
      clients: this.#subscribers.size,
      pid: this.#packetiser.pid,
      restarts: this.#packetiser.restartCount,
      pictures: this.#pictureCount,
      keyframes: this.#keyframeCount,
      cacheBytes: this.cache.sizeBytes,
      isFrozen: this.isFrozen,
      fault: this.#fault,
      faultyPackets: this.#faultyPackets,
      faultyAnswers: this.#faultyAnswers,
    };
  }

  /** Resolves when the packetiser's process is gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#subscribers.clear();
    await this.#packetiser.close();
    this.cache.clear();
  }

  #relay(source: AccessUnit): void {
    const right = { ...source, timestamp: this.#timeline.place(source.timestamp, performance.now()) };
    const unit = { ...right, timestamp: this.#clock.advance(right.timestamp) };
    this.#pictureCount += 1;
    if (unit.isKeyframe) this.#keyframeCount += 1;
    this.cache.add(right);
    if (this.#unplacedReport) this.#placeReport(this.#unplacedReport);
    if (!this.isFrozen) for (const subscriber of this.#subscribers) subscriber.deliver(unit);
    this.#events.emit('unit');
  }

  #relayReport(packet: Buffer): void {
    const report = readSenderReport(packet);
    if (report) this.#placeReport(report);
  }

  #placeReport(report: ClockPair): void {
    const rtpTimestamp = this.#timeline.translate(report.rtpTimestamp);
    this.#unplacedReport = rtpTimestamp === null ? report : null;
    if (rtpTimestamp === null) return;
    this.#lastReport = { ...report, rtpTimestamp };
    if (this.isFrozen) return;
    const told = this.#clock.report(this.#lastReport);
    for (const subscriber of this.#subscribers) subscriber.deliverReport(told);
  }

  /** Resolves at the first of these events, at the time limit, or when the stream closes. */
  async #first(names: readonly ('described' | 'failed' | 'unit')[], timeoutMs: number): Promise<void> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, this.#closing.signal, AbortSignal.timeout(timeoutMs)]);
    await Promise.race(names.map((name) => once(this.#events, name, { signal }))).catch(() => undefined);
    done.abort();
  }
}

export interface CameraStreamStats {
  readonly path: string;
  /** Sessions that play. */
  readonly clients: number;
  /** Process id of the packetiser, `null` while none runs. */
  readonly pid: number | null;
  readonly restarts: number;
  /** Pictures and keyframes that came from the packetiser. */
  readonly pictures: number;
  readonly keyframes: number;
  readonly cacheBytes: number;
  readonly isFrozen: boolean;
  readonly fault: CameraFault | null;
  /** Packets that faults took, moved or damaged, on the way to all clients. */
  readonly faultyPackets: number;
  /** Requests that faults answered, or left without an answer. */
  readonly faultyAnswers: number;
}
