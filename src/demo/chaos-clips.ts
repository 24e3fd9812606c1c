import type { ChaosClip } from './chaos.js';
import { type ClipForm, type PrepareClipOptions, prepareClip } from './prepare-clip.js';

/** Small, so that they are made in a moment; and another size than a camera's own. */
const SMALL: ClipForm = { maxWidthPx: 640, maxHeightPx: 360 };
const FORMS: readonly { readonly form: ClipForm; readonly words: string }[] = [
  { form: SMALL, words: 'sends smaller pictures' },
  { form: { ...SMALL, rateFps: 1 }, words: 'sends one small picture a second' },
  { form: { ...SMALL, rateFps: 60 }, words: 'sends 60 small pictures a second' },
  { form: { ...SMALL, keyframeEveryS: 10 }, words: 'sends small pictures, a keyframe every ten seconds' },
];

/** One video in the forms that a camera may change to in mid-stream. Made once, like any prepared clip. */
export async function prepareChaosClips(file: string, options: PrepareClipOptions): Promise<ChaosClip[]> {
  const clips: ChaosClip[] = [];
  for (const { form, words } of FORMS)
    clips.push({ file: await prepareClip(file, { ...options, form }), words });
  return clips;
}
