import type { MaskCloth, MaskPose } from './face-mask-painter.js';

/** How a demo clip is made from one of the two source clips. */
export interface DemoScene {
  readonly name: string;
  readonly source: 'two-faces-turning.gif' | 'corridor-walking.gif';
  /** ffmpeg filters from the source to 1280×720 at 25 fps. */
  readonly filters: string;
  /** Frames are played forward and back, so that the loop has no jump. */
  readonly isPingPong: boolean;
  /** Times the (ping-pong) sequence is repeated in the clip. */
  readonly repeats: number;
  /** Masks by person, counted from the left of the picture; `null` draws none. */
  readonly masks: readonly ((timeSeconds: number) => MaskPose | null)[];
  readonly cloths: readonly MaskCloth[];
  /**
   * A person, counted from the left, whose clothes are smoothed: the detector takes the flowers on one shirt for
   * a small face. That is its fault, not the viewer's, and stands in its model card; here it would only confuse.
   */
  readonly smoothClothesOf?: number;
  /** People to expect; 0 skips detection. */
  readonly people: number;
}

const BLUE: MaskCloth = { top: '#a3bccb', bottom: '#7395a9', pleat: '#64889c' };
const WHITE: MaskCloth = { top: '#c4c8ca', bottom: '#959b9f', pleat: '#868d92' };

const worn: MaskPose = { coverage: 1, belowNose: false };
const belowNose: MaskPose = { coverage: 1, belowNose: true };

/** Puts the mask on at `onSeconds` and takes it off at `offSeconds`; each takes 0.8 s. */
function putOn(onSeconds: number, offSeconds: number): (timeSeconds: number) => MaskPose {
  return (timeSeconds) => {
    const rising = Math.min(1, Math.max(0, (timeSeconds - onSeconds) / 0.8));
    const falling = Math.min(1, Math.max(0, (timeSeconds - offSeconds) / 0.8));
    const linear = Math.max(0, rising - falling);
    return { coverage: linear * linear * (3 - 2 * linear), belowNose: false };
  };
}

// The sources are 480×270 at 12–12.5 fps with the dither of their palette: smoothed, interpolated to 25 fps
// by motion compensation, enlarged, and given a little moving grain like a real sensor's.
const CLEAN = 'hqdn3d=3:3:6:6,minterpolate=fps=25:mi_mode=mci:mc_mode=aobmc:vsbmc=1';
const ENLARGE = 'scale=1280:720:flags=lanczos,unsharp=5:5:0.4,setsar=1';

export const DEMO_SCENES: readonly DemoScene[] = [
  {
    name: 'entrance',
    source: 'two-faces-turning.gif',
    filters: `${CLEAN},${ENLARGE}`,
    isPingPong: true,
    repeats: 3,
    people: 2,
    masks: [() => worn, putOn(9, 23.5)],
    cloths: [BLUE, BLUE],
  },
  {
    name: 'reception',
    source: 'two-faces-turning.gif',
    filters: `hflip,crop=432:243:46:14,eq=gamma=1.12:saturation=1.1,colorbalance=rs=0.04:bs=-0.04,${CLEAN},${ENLARGE}`,
    isPingPong: true,
    repeats: 2,
    people: 2,
    masks: [() => worn, () => belowNose],
    cloths: [BLUE, BLUE],
  },
  {
    name: 'corridor',
    source: 'corridor-walking.gif',
    // The part where people walk, at half speed: 3.5 s of walking at a comfortable pace.
    filters: `crop=320:180:140:70,setpts=1.6*PTS,${CLEAN},${ENLARGE}`,
    isPingPong: false,
    repeats: 4,
    people: 2,
    masks: [() => worn, () => worn],
    cloths: [WHITE, BLUE],
    smoothClothesOf: 1,
  },
  {
    name: 'stairwell',
    source: 'corridor-walking.gif',
    // The left part of the corridor before anybody walks into it, beside its mirror image.
    filters: `trim=end_frame=5,crop=170:191:62:60,split[a][b];[b]hflip[c];[a][c]hstack,${CLEAN},${ENLARGE}`,
    isPingPong: true,
    repeats: 20,
    people: 0,
    masks: [],
    cloths: [],
  },
];
