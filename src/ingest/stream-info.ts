import type { CameraReason } from '../domain/camera.js';
import type { RunEnd, StreamInfo } from './frame-source.js';

/** What one line of ffmpeg's stderr (at `-loglevel level+verbose`) tells. */
export type StderrFact =
  | { readonly kind: 'stream'; readonly info: StreamInfo }
  | {
      /** The scale filter was set up: at the start, and again when the camera changes its size. */
      readonly kind: 'size';
      readonly sourceWidth: number;
      readonly sourceHeight: number;
      readonly contentWidth: number;
      readonly contentHeight: number;
    }
  /** A picture goes to be analysed: its place among them and the stream's own time. */
  | { readonly kind: 'time'; readonly index: number; readonly streamMs: number }
  /** Everything is set up; whatever was not said by now will not be said. */
  | { readonly kind: 'output' }
  /** Hardware was asked for, and the CPU decodes; pictures come all the same. */
  | { readonly kind: 'cpu'; readonly why: string }
  | { readonly kind: 'problem'; readonly text: string };

/**
 * Reads ffmpeg's stderr line by line (ffmpeg 4 of 2018 and 5.1 write the same things in slightly different
 * ways) and remembers why it may end. Bounded memory: the last few problems only.
 */
export class StderrReader {
  #isInInput = false;
  #info: StreamInfo | null = null;
  #codec = 'unknown';
  readonly #problems: string[] = [];

  /** The newest problems, oldest first, without the `[level]` prefixes; may contain credentials. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** What is known; after a size fact with that size. */
  get info(): StreamInfo | null {
    return this.#info;
  }

  /** @returns what the line says, or `null` for most lines. */
  read(line: string): StderrFact | null {
    const time = TIME.exec(line);
    if (time) return { kind: 'time', index: Number(time[1]), streamMs: Number(time[2]) * 1000 };
    const size = SCALE.exec(line);
    if (size) {
      const [sourceWidth, sourceHeight, contentWidth, contentHeight] = size.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
      ];
      this.#info = {
        codec: this.#info?.codec ?? this.#codec,
        width: sourceWidth,
        height: sourceHeight,
        rateFps: this.#info?.rateFps ?? null,
      };
      return { kind: 'size', sourceWidth, sourceHeight, contentWidth, contentHeight };
    }
    const { level, text } = splitLevel(line);
    if (/^Input #\d+,/.test(text)) this.#isInInput = true;
    else if (/^(Output #\d+,|Stream mapping:)/.test(text)) this.#isInInput = false;
    if (this.#isInInput && !this.#info) {
      this.#codec = VIDEO.exec(text)?.[1] ?? this.#codec;
      const info = videoStream(text);
      if (info) {
        this.#info = info;
        return { kind: 'stream', info };
      }
    }
    if (/^Output #\d+,/.test(text)) return { kind: 'output' };
    // `auto` without hardware, and hardware that does not know this kind of video.
    if (NO_HARDWARE.test(text)) return { kind: 'cpu', why: text.replace(/\.$/, '') };
    // Warnings count: ffmpeg reports an RTSP answer like 404 as one.
    if (
      level === 'error' ||
      level === 'fatal' ||
      level === 'panic' ||
      (level === 'warning' && STATUS.test(text))
    ) {
      if (this.#problems.at(-1) !== text) this.#problems.push(text);
      if (this.#problems.length > 8) this.#problems.shift();
      return { kind: 'problem', text };
    }
    return null;
  }
}

const TIME = /\[Parsed_showinfo_\d+ @ [^\]]*\] (?:\[\w+\] )?n: *(\d+) pts: *-?\d+ +pts_time:(-?[\d.e+]+)/;
const SCALE = /\[Parsed_scale_\d+ @ [^\]]*\] (?:\[\w+\] )?w:(\d+) h:(\d+) fmt:.* -> w:(\d+) h:(\d+) fmt:/;
const VIDEO = /^Stream #\d+:\d+\S*: Video: (\w+)(.*)$/;
const NO_HARDWARE =
  /^Auto hwaccel disabled: |^Failed setup for format \S+: hwaccel initialisation returned error/;
const STATUS = /\b[45]\d\d\b/;

function splitLevel(line: string): { level: string; text: string } {
  const match = /^((?:\[[^\]]* @ [^\]]*\] )*)\[(\w+)\] ?(.*)$/.exec(line);
  if (!match) return { level: '', text: line.trim() };
  return { level: match[2] ?? '', text: (match[3] ?? '').trim() };
}

function videoStream(text: string): StreamInfo | null {
  const match = VIDEO.exec(text);
  if (!match) return null;
  const [, codec = '', rest = ''] = match;
  // The size stands after a comma; `0x31637661` in the codec tag's brackets does not.
  const size = /, (\d{1,5})x(\d{1,5})\b/.exec(rest);
  if (!size) return null;
  const rate = /, (\d+(?:\.\d+)?)(k?) fps\b/.exec(rest);
  return {
    codec,
    width: Number(size[1]),
    height: Number(size[2]),
    rateFps: rate ? Number(rate[1]) * (rate[2] ? 1000 : 1) : null,
  };
}

/** The first rule that matches any problem wins: from the most to the least certain. */
const RULES: readonly { reason: CameraReason; pattern: RegExp; retryable: boolean; say: string }[] = [
  {
    reason: 'unauthorized',
    pattern:
      /\b40[13]\b[^\n]{0,20}(Unauthorized|Forbidden)|(Unauthorized|Forbidden)|authorization failed|\bfailed: 40[13]\b|\bHTTP error 40[13]\b/i,
    retryable: false,
    say: 'The camera refuses user or password',
  },
  {
    reason: 'not_found',
    pattern:
      /404 Not Found|(\bfailed:|\bHTTP error) 404\b|\b454 Session Not Found|No such file or directory/i,
    retryable: true,
    say: 'There is no such stream',
  },
  {
    reason: 'configuration',
    pattern: /\bfailed: 461\b|Protocol not supported|Nonmatching transport/i,
    retryable: true,
    say: 'The camera does not offer this transport (transport: auto tries the others)',
  },
  { reason: 'refused', pattern: /Connection refused/i, retryable: true, say: 'The connection was refused' },
  {
    reason: 'unreachable',
    pattern:
      /No route to host|Network is unreachable|Failed to resolve hostname|Name or service not known|Temporary failure in name resolution|Host is down|timed out|Connection reset|Broken pipe|Input\/output error|Server returned 5/i,
    retryable: true,
    say: 'The camera cannot be reached',
  },
  {
    reason: 'configuration',
    pattern:
      /Unrecognized option|Option \S+ not found|Protocol not found|Error splitting the argument list|Unable to parse option value|Undefined constant or missing|Error setting option|Unknown input format/i,
    retryable: false,
    say: 'ffmpeg does not understand the address or an option',
  },
  {
    reason: 'invalid_data',
    pattern:
      /Invalid data found|could not find codec parameters|does not contain any stream|matches no streams|moov atom not found|Unknown decoder|Decoder .* not found|unspecified size/i,
    retryable: true,
    say: 'What arrives is not a video that ffmpeg can read',
  },
];

/** ffmpeg of 2018 says this as well of a camera that ends the connection in the middle of a question. */
function isVague(words: string): boolean {
  return /Invalid data found when processing input/.test(words);
}
const HUNG_UP = 'The camera hung up before a picture came, or sends what ffmpeg cannot read';

/**
 * Why an ffmpeg run ended, from its last words. Exit codes alone say nothing: a live stream whose server was
 * killed ends with 0.
 *
 * @param problems lines of {@link StderrReader.problems}, already without credentials.
 */
export function classifyEnd(end: {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly problems: readonly string[];
  readonly frameCount: number;
  readonly isFile: boolean;
}): RunEnd {
  const last = end.problems.at(-1);
  // Once pictures came, complaints about single packets are no reason: only the last words are.
  const looked = end.frameCount > 0 ? end.problems.slice(-2) : end.problems;
  if (end.exitCode !== 0 || end.frameCount === 0) {
    for (const rule of RULES) {
      const words = looked.find((problem) => rule.pattern.test(problem));
      if (words !== undefined)
        return {
          reason: rule.reason,
          message: `${isVague(words) && !end.isFile ? HUNG_UP : rule.say} (${words})`,
          retryable: rule.retryable && !(end.isFile && rule.reason === 'not_found'),
        };
    }
  }
  if (end.isFile && end.frameCount === 0 && end.signal === null)
    return {
      reason: 'invalid_data',
      message: `There is no picture in the file${last ? ` (${last})` : ''}`,
      retryable: true,
    };
  if (end.isFile && end.exitCode === 0 && end.frameCount > 0)
    return { reason: 'end_of_file', message: 'The file is over', retryable: true };
  const how =
    end.signal !== null
      ? `ffmpeg was ended by ${end.signal}`
      : end.exitCode === 0
        ? 'The stream ended'
        : `ffmpeg ended with code ${end.exitCode ?? '?'}`;
  return { reason: 'process_exited', message: last ? `${how} (${last})` : how, retryable: true };
}
