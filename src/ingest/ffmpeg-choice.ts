import { streamKind } from './ffmpeg-arguments.js';
import { type FfmpegBinary, type FindFfmpegOptions, findFfmpeg, findSystemFfmpeg } from './ffmpeg-binary.js';
import { DECODINGS, type Decoding, deviceFormat } from './ffmpeg-input-options.js';
import type { IngestLog } from './ingest-log.js';

/** What a camera asks of ffmpeg that not every build has. */
export interface FfmpegWish {
  /** Address of what is analysed. */
  readonly url: string;
  readonly decoding: Decoding;
}

export interface Lacking {
  /** Goes on with "it". */
  readonly what: string;
  /** It may do it all the same. */
  readonly isDoubt: boolean;
}

/** What stands between this build and a wish. */
export function lackings(binary: FfmpegBinary, { url, decoding }: FfmpegWish): Lacking[] {
  const found: Lacking[] = [];
  const without = (what: string) => found.push({ what: `was built without ${what}`, isDoubt: false });
  const device = deviceFormat();
  if (streamKind(url) === 'device' && !binary.inputDevices.includes(device))
    without(`${device}, which reads the cameras of this computer`);
  if (decoding === 'none') return found;
  const { hwaccels, isStatic } = binary;
  if (decoding === 'auto' ? hwaccels.length === 0 : !hwaccels.includes(decoding))
    without(decoding === 'auto' ? 'hardware decoding' : decoding);
  else if (isStatic)
    found.push({ what: 'is a static build, which can seldom load the drivers of hardware', isDoubt: true });
  return found;
}

/** A doubt weighs less than what is certain. */
function weight(found: readonly Lacking[]): number {
  return found.reduce((sum, { isDoubt }) => sum + (isDoubt ? 1 : 2), 0);
}

function inWords(found: readonly Lacking[]): string {
  return found.map(({ what }) => what).join(' and ');
}

/** What cameras may want that `usual` cannot do and `other` can, as the configuration writes it. */
export function onlyOtherCan(usual: FfmpegBinary, other: FfmpegBinary): string[] {
  const wishes: (readonly [string, FfmpegWish])[] = [
    ['device:', { url: 'device:0', decoding: 'none' }],
    ...DECODINGS.map((decoding) => [`decoding: ${decoding}`, { url: '', decoding }] as const),
  ];
  return wishes
    .filter(([, wish]) => lackings(usual, wish).length > 0 && lackings(other, wish).length === 0)
    .map(([name]) => name);
}

/**
 * Which ffmpeg a camera gets. One that was asked for (`ingest.ffmpegPath`, `FFMPEG_PATH`) serves all. Otherwise that of
 * npm, which is the same everywhere and the one that was measured, and the system's where only that can do what the
 * camera wants. Each is read once; the system's not before somebody needs it.
 */
export class FfmpegChoice {
  readonly #options: FindFfmpegOptions;
  readonly #log: IngestLog | undefined;
  readonly #told = new Set<string>();
  #other: Promise<FfmpegBinary | null> | undefined;

  /** @throws AppError `FFMPEG_NOT_FOUND` or `FFMPEG_UNUSABLE`, as {@link findFfmpeg}. */
  static async open(options: FindFfmpegOptions = {}, log?: IngestLog): Promise<FfmpegChoice> {
    const choice = new FfmpegChoice(await findFfmpeg(options), options, log);
    const { path, version, origin } = choice.usual;
    if (origin === 'system')
      log?.info({ path, version }, "npm has no ffmpeg that runs here: the system's is taken");
    return choice;
  }

  private constructor(
    /** What a camera without such wishes gets. */
    readonly usual: FfmpegBinary,
    options: FindFfmpegOptions,
    log: IngestLog | undefined,
  ) {
    this.#options = options;
    this.#log = log;
  }

  /** Says once why it is the system's, and once what none of them can do. */
  async choose(wish: FfmpegWish): Promise<FfmpegBinary> {
    const reasons = lackings(this.usual, wish);
    if (reasons.length === 0) return this.usual;
    const other = await this.#system();
    const otherReasons = other ? lackings(other, wish) : [];
    const isOther = other !== null && weight(otherReasons) < weight(reasons);
    const chosen = isOther ? other : this.usual;
    const missing = isOther ? otherReasons : reasons;
    const fields = { path: chosen.path, version: chosen.version };
    if (isOther) this.#tell('info', fields, `the system's ffmpeg is taken: that of npm ${inWords(reasons)}`);
    // Of the one that was asked for it is said where it shows: in the fallback, or in why the camera does not start.
    if (missing.length > 0 && this.#isFree)
      this.#tell(
        'warn',
        fields,
        `no ffmpeg at hand fits: this one ${inWords(missing)}; install one that has it in PATH, or name it in FFMPEG_PATH`,
      );
    return chosen;
  }

  /** The system's where there is another one to choose. */
  #system(): Promise<FfmpegBinary | null> {
    if (this.usual.origin !== 'npm') return Promise.resolve(null);
    this.#other ??= findSystemFfmpeg(this.#options);
    return this.#other;
  }

  get #isFree(): boolean {
    return this.usual.origin === 'npm' || this.usual.origin === 'system';
  }

  #tell(level: 'info' | 'warn', fields: object, text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#log?.[level](fields, text);
  }
}
