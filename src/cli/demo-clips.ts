import { basename, extname } from 'node:path';
import type { ChaosClip } from '../demo/chaos.js';
import { type DemoCamera, footageCameras } from '../demo/demo-cameras.js';
import type { ClipForm, PrepareClipOptions } from '../demo/prepare-clip.js';
import { note } from './output.js';
import { startProgress } from './progress.js';

export interface DemoClipOptions {
  readonly cameras: number;
  /** Instead of the footage that ships. */
  readonly video?: readonly string[];
  /** Of the clips, which are made anew where one of these is given. */
  readonly videoFps?: number;
  readonly videoKeyframes?: number;
}

/** The cameras of a demonstration and the clips they play, prepared where they have to be. */
export async function demoCameras(
  options: DemoClipOptions,
  work: { readonly ffmpegPath: string; readonly signal: AbortSignal },
): Promise<DemoCamera[]> {
  const { videoFps, videoKeyframes, video, cameras: count } = options;
  const form: ClipForm = {
    ...(videoFps === undefined ? {} : { rateFps: videoFps }),
    ...(videoKeyframes === undefined ? {} : { keyframeEveryS: videoKeyframes }),
  };
  if (video) return videoCameras(video, await prepare(video, { ...work, form }), count);
  const shipped = footageCameras(count);
  if (Object.keys(form).length === 0) return shipped;
  const files = [...new Set(shipped.map(({ file }) => file))];
  const clips = await prepare(files, { ...work, form });
  return shipped.map((camera) => ({ ...camera, file: clips[files.indexOf(camera.file)] as string }));
}

/** What a camera may show all of a sudden: the other cameras' clips, and one of them in other sizes and rates. */
export async function demoChaosClips(
  cameras: readonly DemoCamera[],
  work: { readonly ffmpegPath: string; readonly signal: AbortSignal },
): Promise<ChaosClip[]> {
  const files = [...new Set(cameras.map(({ file }) => file))];
  const [first] = files;
  if (first === undefined) return [];
  note('maskwatch: preparing clips for --chaos …');
  const { prepareChaosClips } = await import('../demo/chaos-clips.js');
  return [
    ...(await prepareChaosClips(first, work)),
    ...files.map((file) => ({ file, words: 'shows the clip of another camera' })),
  ];
}

async function prepare(
  files: readonly string[],
  options: Omit<PrepareClipOptions, 'onProgress'>,
): Promise<string[]> {
  note(`maskwatch: preparing ${files.length} ${files.length === 1 ? 'video' : 'videos'} …`);
  const { prepareClips } = await import('../demo/prepare-clip.js');
  const progress = startProgress({ label: 'preparing', total: 100, unit: '%' });
  try {
    const onProgress = (share: number) => progress.update(Math.round(share * 100));
    return await prepareClips(files, { ...options, onProgress });
  } finally {
    progress.stop();
  }
}

/** `count` cameras, more where there are more clips; those that share a clip are numbered. */
function videoCameras(files: readonly string[], clips: readonly string[], count: number): DemoCamera[] {
  if (clips.length === 0) return [];
  return Array.from({ length: Math.max(count, clips.length) }, (_, index) => {
    const source = index % clips.length;
    const file = clips[source] as string;
    const name = basename(files[source] as string, extname(files[source] as string));
    const round = Math.floor(index / clips.length);
    return { id: `video-${index + 1}`, name: round === 0 ? name : `${name} ${round + 1}`, file };
  });
}
