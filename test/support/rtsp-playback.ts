import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface DecodedPicture {
  /** In the decoder's time base, as the stream says it. */
  readonly pts: number;
  /** Checksum of all pixels. */
  readonly checksum: string;
}

export interface Playback {
  readonly pictures: readonly DecodedPicture[];
  /** What ffmpeg complained of. */
  readonly complaints: string;
}

/** Decodes with ffmpeg, nothing dropped and nothing doubled; `input` are ffmpeg's arguments up to the URL. */
export async function decodePictures(
  ffmpegPath: string,
  input: readonly string[],
  count: number,
): Promise<DecodedPicture[]> {
  return [...(await playBack(ffmpegPath, input, count)).pictures];
}

/** The same, with ffmpeg's complaints. */
export async function playBack(
  ffmpegPath: string,
  input: readonly string[],
  count: number,
  level: 'error' | 'warning' = 'error',
): Promise<Playback> {
  const output = [
    '-an',
    '-vsync',
    'passthrough',
    '-copyts',
    '-frames:v',
    String(count),
    '-f',
    'framecrc',
    '-',
  ];
  const { stdout, stderr } = await run(ffmpegPath, ['-nostdin', '-v', level, ...input, ...output], {
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  const pictures = stdout
    .split('\n')
    .filter((line) => /^0,/.test(line))
    .map((line) => {
      const fields = line.split(',').map((field) => field.trim());
      return { pts: Number(fields[2]), checksum: fields[5] ?? '' };
    });
  return { pictures, complaints: stderr };
}

/** What ffmpeg says on stderr when it fails; throws when it does not fail. */
export async function failureOf(ffmpegPath: string, input: readonly string[]): Promise<string> {
  try {
    await decodePictures(ffmpegPath, input, 1);
  } catch (error) {
    if (error instanceof Error && 'stderr' in error) return String(error.stderr);
    throw error;
  }
  throw new Error('ffmpeg played what it should not have been able to play');
}

/** The URL with user and password as ffmpeg wants them. */
export function withCredentials(url: string, username: string, password: string): string {
  return url.replace('://', `://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`);
}
