import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { killWithOwner, ownedCommand } from '../../ingest/child-processes.js';
import { systemClock } from '../../lib/clock.js';
import type { Publication, PublishGate } from './publish-gate.js';

export interface PacketiserOptions {
  readonly file: string;
  readonly ffmpegPath: string;
  readonly gate: PublishGate;
  readonly publication: Publication;
  /** A run of this file is about to begin: time stamps and sequence numbers start afresh. */
  readonly onRunBegin: (file: string) => void;
  /** A run ended by itself. `hasPublished` is false when not one packet came. The next follows after a pause. */
  readonly onRunEnd: (end: { message: string; hasPublished: boolean }) => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const STDERR_KEEP_BYTES = 2_000;

/** Arguments for an endless, real-time RTP stream of a file that is encoded already. Decodes, encodes nothing. */
export function packetiserArguments(options: { file: string; url: string }): string[] {
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'error'],
    // `file:` keeps names with a colon, or one that begins with a dash, from being read as something else.
    ...['-re', '-stream_loop', '-1', '-i', `file:${options.file}`],
    ...['-map', '0:v:0', '-c', 'copy'],
    ...['-f', 'rtsp', '-rtsp_transport', 'tcp', options.url],
  ];
}

/** Keeps one ffmpeg running that loops a clip into the gate. Started again, with growing pauses, when it dies. */
export class Packetiser {
  #child: ChildProcess | null = null;
  #loop: Promise<void> | null = null;
  #startCount = 0;
  #file: string;
  #hasOtherFile = false;
  readonly #stop = new AbortController();

  constructor(private readonly options: PacketiserOptions) {
    this.#file = options.file;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Process starts, the first not counted. */
  get restartCount(): number {
    return Math.max(0, this.#startCount - 1);
  }

  /** Idempotent. */
  start(): void {
    if (!this.#stop.signal.aborted) this.#loop ??= this.#run();
  }

  /** Goes on with another file, at once where it runs. */
  play(file: string): void {
    if (file === this.#file) return;
    this.#file = file;
    this.#hasOtherFile = true;
    this.#child?.kill('SIGKILL');
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    this.#stop.abort();
    // KILL at once: ffmpeg holds nothing that is worth saving, and F18 may ignore TERM while it is blocked.
    this.#child?.kill('SIGKILL');
    await this.#loop;
  }

  async #run(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#stop.signal.aborted) {
      const end = await this.#runOnce();
      if (this.#stop.signal.aborted) return;
      if (this.#hasOtherFile) {
        this.#hasOtherFile = false;
        continue;
      }
      this.options.onRunEnd(end);
      pauseMs = end.hasPublished ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      await systemClock.sleep(pauseMs, this.#stop.signal).catch(() => undefined);
    }
  }

  async #runOnce(): Promise<{ message: string; hasPublished: boolean }> {
    const { gate, publication } = this.options;
    let hasPublished = false;
    const owned = await ownedCommand(this.options.ffmpegPath);
    if (this.#stop.signal.aborted) return { message: 'stopped', hasPublished };
    // Not before the wait: another file may have been asked for meanwhile.
    const file = this.#file;
    this.#hasOtherFile = false;
    this.options.onRunBegin(file);
    const invitation = gate.invite({
      described: (media) => publication.described(media),
      rtcp: (packet) => publication.rtcp(packet),
      rtp: (packet) => {
        hasPublished = true;
        publication.rtp(packet);
      },
    });
    this.#startCount += 1;
    const child = spawn(owned.file, [...owned.args, ...packetiserArguments({ file, url: invitation.url })], {
      ...owned.options,
      stdio: ['ignore', 'ignore', 'pipe'],
      windowsHide: true,
    });
    killWithOwner(child);
    this.#child = child;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEEP_BYTES);
    });
    let message: string;
    try {
      const [code, signal] = await once(child, 'close');
      message = stderr.trim().split('\n').at(-1) || `ffmpeg ended with ${signal ?? `exit code ${code}`}`;
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
    }
    invitation.withdraw();
    this.#child = null;
    return { message: message.replaceAll(invitation.url, 'the relay'), hasPublished };
  }
}
