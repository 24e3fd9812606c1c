import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { npmFfmpeg } from './ingest-clips.js';

const run = promisify(execFile);

/** What a user may see of such a file: it plays (for as long as it lasts), or is told why not. */
export interface BrokenFile {
  readonly name: string;
  readonly path: string;
  readonly plays: boolean;
}

/** Makes files of every bad and odd kind in `folder`. */
export async function makeBrokenFiles(folder: string): Promise<BrokenFile[]> {
  const { path: ffmpeg } = await npmFfmpeg();
  const make = async (name: string, input: string, ...options: string[]) => {
    const path = join(folder, name);
    const source = ['-f', 'lavfi', '-i', input];
    await run(ffmpeg, ['-v', 'error', '-nostdin', '-y', ...source, ...options, path]);
    return path;
  };
  const pattern = (size: string, seconds = 2, rate = 10) => `testsrc=s=${size}:r=${rate}:d=${seconds}`;
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  const files: BrokenFile[] = [];
  const add = (name: string, path: string, plays: boolean) => files.push({ name, path, plays });
  const write = async (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  };

  const good = await make('good.mp4', pattern('320x180'), ...h264);
  const front = await make('front.mp4', pattern('320x180', 6), ...h264, '-movflags', '+faststart');
  const bytes = await readFile(good);
  const frontBytes = await readFile(front);
  add('zero bytes', await write('zero.mp4', ''), false);
  add('text named .mp4', await write('text.mp4', 'This is no film.\n'.repeat(200)), false);
  add(
    'random bytes',
    await write('random.mp4', Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 251))),
    false,
  );
  add('half a file, its index missing', await write('half.mp4', bytes.subarray(0, bytes.length / 2)), false);
  add(
    'half a file, its index in front',
    await write('front-half.mp4', frontBytes.subarray(0, frontBytes.length * 0.6)),
    true,
  );
  add(
    'the index alone',
    await write('index.mp4', frontBytes.subarray(0, frontBytes.indexOf('mdat') + 4)),
    false,
  );
  add(
    'an H.264 stream without its first keyframe',
    await write('headless.h264', await withoutKeyframe(ffmpeg, good, folder)),
    false,
  );
  add(
    'a picture of one pixel',
    await make('one-pixel.mp4', pattern('2x2'), ...h264, '-vf', 'scale=2:2'),
    true,
  );
  add('one frame', await make('one-frame.mp4', pattern('320x180'), ...h264, '-frames:v', '1'), true);
  add(
    'odd size',
    await make(
      'odd.mkv',
      pattern('321x181'),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv444p',
    ),
    true,
  );
  add('8K', await make('8k.mp4', pattern('7680x4320', 0.2), ...h264), true);
  add('taller than wide by far', await make('tall.mp4', pattern('64x1600'), ...h264), true);
  add('alpha channel', await make('alpha.mov', `${pattern('320x180')},format=rgba`, '-c:v', 'qtrle'), true);
  add(
    '10 bit',
    await make(
      'ten-bit.mp4',
      pattern('320x180'),
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=error',
      '-pix_fmt',
      'yuv420p10le',
    ),
    true,
  );
  add('grey', await make('grey.mkv', pattern('320x180'), '-c:v', 'ffv1', '-pix_fmt', 'gray'), true);
  add('palette (GIF)', await make('palette.gif', pattern('320x180')), true);
  add('a thousand frames a second', await make('fast.mkv', pattern('64x36', 1, 1000), ...h264), true);
  add('one frame in five seconds', await make('slow.mkv', pattern('320x180', 10, 0.2), ...h264), true);
  add(
    'interlaced',
    await make('interlaced.mp4', pattern('320x180'), ...h264, '-flags', '+ildct+ilme', '-x264opts', 'tff=1'),
    true,
  );
  add(
    'turned by metadata',
    await make('turned.mp4', pattern('320x180'), ...h264, '-metadata:s:v', 'rotate=90'),
    true,
  );
  add(
    'MPEG transport stream, cut at odd places',
    await write(
      'cut.ts',
      (await readFile(await make('whole.ts', pattern('320x180', 6), ...h264, '-g', '10'))).subarray(
        1000,
        60_000,
      ),
    ),
    true,
  );
  add('sound only', await make('sound.wav', 'sine=d=2'), false);
  add('a still picture', await make('still.jpg', pattern('320x180'), '-frames:v', '1'), true);
  add('name with spaces, quotes, % and ü', await copy(good, join(folder, `a 'b' "c" 100% ü.mp4`)), true);
  const directory = join(folder, 'directory.mp4');
  await mkdir(directory);
  add('a folder', directory, false);
  const fifo = join(folder, 'fifo.mp4');
  await run('mkfifo', [fifo]);
  add('a pipe into which nobody writes', fifo, false);
  add('endless zeros', '/dev/zero', false);
  add('nothing (/dev/null)', '/dev/null', false);
  return files;
}

async function copy(from: string, to: string): Promise<string> {
  await writeFile(to, await readFile(from));
  return to;
}

async function withoutKeyframe(ffmpeg: string, file: string, folder: string): Promise<Buffer> {
  const stream = join(folder, 'whole.h264');
  await run(ffmpeg, [
    '-v',
    'error',
    '-nostdin',
    '-y',
    '-i',
    file,
    '-c',
    'copy',
    '-bsf:v',
    'h264_mp4toannexb',
    stream,
  ]);
  const bytes = await readFile(stream);
  // NAL units of type 1: slices of pictures that need another one.
  for (let i = 0; i < bytes.length - 4; i++)
    if (bytes[i] === 0 && bytes[i + 1] === 0 && bytes[i + 2] === 1 && (bytes[i + 3]! & 0x1f) === 1)
      return bytes.subarray(i);
  throw new Error('no such picture');
}
