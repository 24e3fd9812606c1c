import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { CameraCondition } from '../../src/domain/camera.js';

const run = promisify(execFile);

/** Made footage: a clip in a loop, changed for a while. `filter` may name `W` and `H`, the clip's size. */
export interface MadeFault {
  readonly name: string;
  /** What is to be told; `null`: nothing, it is a picture like any other. */
  readonly expects: CameraCondition | null;
  /** ffmpeg filters for the changed time. */
  readonly filter: string;
  /** For the time before and after, where the whole clip is seen another way. */
  readonly elsewhere?: string;
  /** The changed time is one picture that stands still. */
  readonly isStill?: boolean;
  /** Each picture is encoded alone and alike: equal pictures stay equal. */
  readonly isIntra?: boolean;
  /** Bits of the compressed stream are broken at random, as by packet loss: one in so many bytes. */
  readonly brokenEvery?: number;
}

/** Sensor noise, other in each picture. */
const NOISE = 'noise=alls=4:allf=t';
/** Light on a smooth thing right before the lens: what is seen through its edges, without any detail. */
const through = (share: number, base: number) =>
  `scale=8:6:flags=area,scale=W:H:flags=bicubic,lutyuv=y=${base}+val*${share}:u=128+(val-128)*0.3:v=128+(val-128)*0.3,${NOISE}`;

export const MADE_FAULTS: readonly MadeFault[] = [
  { name: 'frozen, sent again and again', expects: 'frozen', filter: 'null', isStill: true, isIntra: true },
  { name: 'frozen, encoded anew', expects: 'frozen', filter: 'null', isStill: true },
  { name: 'lens cap', expects: 'black', filter: `lutyuv=y=16+(val-16)*0.01:u=128:v=128,${NOISE}` },
  { name: 'no signal, all black', expects: 'black', filter: 'lutyuv=y=16:u=128:v=128' },
  { name: 'blinded by a lamp', expects: 'overexposed', filter: "lutyuv=y='clip(150+(val-16)*3,16,235)'" },
  { name: 'hand before the lens', expects: 'covered', filter: through(0.15, 30) },
  { name: 'paper before the lens', expects: 'covered', filter: through(0.2, 130) },
  { name: 'spray on the dome', expects: 'out_of_focus', filter: `gblur=sigma=7,${NOISE}` },
  { name: 'out of focus', expects: 'out_of_focus', filter: `gblur=sigma=4,noise=alls=2:allf=t` },
  {
    ...{ name: 'turned by a quarter of the picture', expects: 'moved' },
    ...{ filter: 'crop=iw*0.75:ih*0.75:iw*0.25:ih*0.2', elsewhere: 'crop=iw*0.75:ih*0.75:0:0' },
  },
  {
    ...{ name: 'knocked by a tenth of the picture', expects: 'moved' },
    ...{ filter: 'crop=iw*0.85:ih*0.85:iw*0.1:ih*0.1', elsewhere: 'crop=iw*0.85:ih*0.85:0:0' },
  },
  { name: 'upside down', expects: 'moved', filter: 'hflip,vflip' },
  {
    name: 'half of it green',
    expects: 'corrupted',
    filter: 'drawbox=y=ih/2:w=iw:h=ih/2:color=0x008700:t=fill',
  },
  { name: 'all green', expects: 'corrupted', filter: 'drawbox=w=iw:h=ih:color=0x008700:t=fill' },
  { name: 'smeared columns', expects: 'corrupted', filter: 'SMEAR' },
  { name: 'lost data, one byte in 2000', expects: 'corrupted', filter: 'null', brokenEvery: 2000 },
  // Nothing of these is a fault.
  { name: 'light turned down to a third', expects: null, filter: 'lutyuv=y=16+(val-16)*0.33' },
  {
    name: 'lights out, nearly black',
    expects: null,
    filter: `lutyuv=y=16+(val-16)*0.2:u=128:v=128,${NOISE}`,
  },
  { name: 'light turned up', expects: null, filter: "lutyuv=y='clip(16+(val-16)*1.4,16,235)'" },
  { name: 'noisy night', expects: null, filter: 'lutyuv=y=16+(val-16)*0.3,noise=alls=14:allf=t' },
  { name: 'haze', expects: null, filter: 'lutyuv=y=90+(val-16)*0.5' },
  { name: 'black and white', expects: null, filter: 'lutyuv=u=128:v=128' },
];

export interface MadeClip {
  readonly beforeSeconds: number;
  readonly faultSeconds: number;
  readonly afterSeconds: number;
}

/** Of all made footage: what is analysed by default, so that making it costs no more than need be. */
const RATE_FPS = 5;
const ENCODE = [
  '-c:v',
  'libx264',
  '-preset',
  'superfast',
  '-crf',
  '24',
  '-g',
  '10',
  '-bf',
  '0',
  '-threads',
  '1',
];

/** No rate control: what is equal is encoded equally. */
const ALL_INTRA = ['-crf', '-1', '-qp', '26', '-g', '1'];

/** A clip in a loop, `seconds` long, 640 pixels wide and 5 pictures a second: what the others are made of. */
export async function makeBase(
  ffmpegPath: string,
  clip: string,
  seconds: number,
  path: string,
): Promise<void> {
  await run(ffmpegPath, [
    ...['-v', 'error', '-y', '-nostdin', '-stream_loop', '-1', '-i', clip, '-t', String(seconds), '-an'],
    ...['-vf', `fps=${RATE_FPS},scale=640:-2:flags=area,format=yuv420p`, ...ENCODE, path],
  ]);
}

/** Writes `base` to `path` with a fault in it. */
export async function makeFault(
  ffmpegPath: string,
  base: string,
  { fault, times, path }: { fault: MadeFault; times: MadeClip; path: string },
): Promise<void> {
  const { beforeSeconds, faultSeconds, afterSeconds } = times;
  const endSeconds = beforeSeconds + faultSeconds;
  if (fault.brokenEvery) return makeBroken(ffmpegPath, base, { every: fault.brokenEvery, times, path });
  const { width, height } = await sizeOf(ffmpegPath, base);
  const still = fault.isStill
    ? `,trim=end_frame=1,loop=loop=-1:size=1:start=0,setpts=N/${RATE_FPS}/TB,trim=duration=${faultSeconds}`
    : '';
  const changed = fault.filter
    .replace('SMEAR', `crop=iw:4:0:ih/3,scale=W:H:flags=neighbor,noise=alls=0`)
    .replaceAll('W:H', `${width}:${height}`);
  const usual = fault.elsewhere ?? 'null';
  const same = fault.elsewhere ? `scale=${width}:${height}` : 'null';
  const graph = [
    '[0:v]split=2[a0][c0]',
    `[a0]trim=0:${beforeSeconds},setpts=PTS-STARTPTS,${usual},${same},format=yuv420p,setsar=1[a]`,
    `[1:v]trim=${beforeSeconds}:${endSeconds},setpts=PTS-STARTPTS${still},${changed},scale=${width}:${height},format=yuv420p,setsar=1[b]`,
    `[c0]trim=${endSeconds}:${endSeconds + afterSeconds},setpts=PTS-STARTPTS,${usual},${same},format=yuv420p,setsar=1[c]`,
    '[a][b][c]concat=n=3:v=1[out]',
  ].join(';');
  await run(ffmpegPath, [
    ...['-v', 'fatal', '-y', '-nostdin', '-i', base, '-i', base, '-filter_complex', graph, '-map', '[out]'],
    ...['-r', String(RATE_FPS), ...ENCODE, ...(fault.isIntra ? ALL_INTRA : []), path],
  ]);
}

/**
 * Breaks bytes of the compressed pictures, as a network does that loses data. What is written holds them broken: what
 * decoders make of it is real.
 */
async function makeBroken(
  ffmpegPath: string,
  base: string,
  { every, times, path }: { every: number; times: MadeClip; path: string },
): Promise<void> {
  const { beforeSeconds, faultSeconds, afterSeconds } = times;
  const parts: string[] = [];
  let from = 0;
  for (const [index, seconds] of [beforeSeconds, faultSeconds, afterSeconds].entries()) {
    const part = `${path}.${index}.ts`;
    const filters = [...(index === 1 ? [`noise=amount=${every}`] : []), 'h264_mp4toannexb'];
    await run(ffmpegPath, [
      ...[
        '-v',
        'error',
        '-y',
        '-nostdin',
        '-ss',
        String(from),
        '-t',
        String(seconds),
        '-i',
        base,
        '-c',
        'copy',
      ],
      ...['-bsf:v', filters.join(','), '-output_ts_offset', String(from), '-f', 'mpegts', part],
    ]);
    parts.push(part);
    from += seconds;
  }
  await writeFile(path, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
  await Promise.all(parts.map((part) => rm(part)));
}

/** ffmpeg without an output tells what it was given. */
async function sizeOf(ffmpegPath: string, path: string): Promise<{ width: number; height: number }> {
  const told = await run(ffmpegPath, ['-nostdin', '-hide_banner', '-i', path]).catch((error) => error);
  const [, width, height] = /Video:.*?\b(\d{2,5})x(\d{2,5})\b/.exec(String(told.stderr)) ?? [];
  if (!width || !height) throw new Error(`${path} is not a video: ${told.stderr}`);
  return { width: Number(width), height: Number(height) };
}
