import type { FaceSummary } from './face-readings.js';
import { AMPLE_FACE_PX, adviceOf } from './placement-advice.js';

/** What a placement is judged by. */
export interface PlacementFacts {
  /** `null`: nobody was seen. */
  readonly faces: FaceSummary | null;
  /** Mean luminance of the whole picture, 0…255; `null` where no picture was measured. */
  readonly pictureLuma: number | null;
  /** For how long pictures were looked at, ms. */
  readonly watchedMs: number;
  /** Size of the camera's picture, pixels. */
  readonly source: { readonly width: number; readonly height: number };
  /** Size of what is left of it in the analysed picture. */
  readonly analysed: { readonly width: number; readonly height: number };
  /** Faces below these are not judged: `classification` of the configuration. */
  readonly limits: { readonly minFacePx: number; readonly minSharpness: number };
  /** The analysed stream is the camera's smaller one (`subUrl`). */
  readonly isSubStream: boolean;
}

/** What makes up the score, each 0 (nobody can be judged) … 1 (more would gain nothing). */
export interface PlacementParts {
  readonly size: number;
  readonly angle: number;
  readonly light: number;
  readonly sharpness: number;
  readonly assessable: number;
}
export type PlacementPart = keyof PlacementParts;

export interface Placement {
  /** 0…100; `null` where nobody was seen. */
  readonly score: number | null;
  readonly parts: PlacementParts | null;
  /** In plain words, what costs most first. */
  readonly advice: readonly string[];
}

type Curve = readonly (readonly [at: number, score: number])[];

/*
 * The curves below follow the share of labelled faces on held-out scenes that detection and classification together got
 * right (models/mask-mobilenetv2/README.md, "Held-out scenes"; 640 px wide). Between the best slice (96 %) and the share at
 * which an alarm is worth little (70 %) the score is straight, but the best of each table counts as 1: what else is wrong
 * with these faces is another part's business.
 */

/**
 * Shorter side of the face, pixels of the analysed picture. Right: 76 % under 16 px (most of those around 12), 86 % at 16
 * to 24, 94 % at 24 to 32, 96 % at 32 to 48. Larger ones are no better. What is below `minFacePx` is not judged at all.
 */
const SIZE: Curve = [
  [8, 0],
  [12, 0.2],
  [20, 0.6],
  [28, 0.9],
  [AMPLE_FACE_PX, 1],
];

/**
 * Turn to a side, degrees. Right (16 px and more): 96 % under 20°, 92 % at 20 to 45°, 87 % beyond. From about 75° on only
 * what the detector is sure of is judged (crops/assess-crop.ts).
 */
const YAW: Curve = [
  [15, 1],
  [32, 0.8],
  [55, 0.5],
  [75, 0.2],
  [90, 0],
];
/**
 * From above or below, degrees. Our data say nothing of it, so these limits are judgement and no measurement: up to 20° a
 * face looks as in the pictures that the models learnt from; from about 50° on the nose covers the mouth, or the brow the
 * eyes, and a mask below the nose looks like one that is worn well. The estimate itself is good for some 10°.
 */
const PITCH: Curve = [
  [20, 1],
  [35, 0.7],
  [50, 0.3],
  [70, 0],
];

/**
 * Mean luminance of the face. Right (16 px and more): 86 % under 60, 92 % at 60 to 100, 94 % at 100 to 150, 96 % at 150 to
 * 200. Skin is of every tone: a dark face in good light is no fault of the light, hence nothing is lost from 90 on. Beyond
 * 220 there is nothing measured, but there the sensor has nothing left to tell either.
 */
const BRIGHTNESS: Curve = [
  [15, 0],
  [40, 0.3],
  [60, 0.6],
  [90, 1],
  [210, 1],
  [235, 0.4],
  [250, 0],
];
/** Standard deviation of luminance within the face. Eyes, nose and mouth make 25 and more; fog, glare or a veil, hardly 10. */
const CONTRAST: Curve = [
  [4, 0.1],
  [10, 0.6],
  [18, 1],
];

/**
 * Variance of the Laplacian. Right (16 px and more): 89 % under 200, 92 % at 200 to 800, 94 % beyond; small faces measure
 * low by themselves, so blur alone costs little until nothing is judged any more (`minSharpness`).
 */
const SHARPNESS: Curve = [
  [20, 0],
  [60, 0.6],
  [120, 0.8],
  [400, 0.9],
  [800, 1],
];

/** How much each part counts. Size first: of all that can be changed it moves the figures most. */
const WEIGHTS: PlacementParts = { size: 0.35, angle: 0.2, light: 0.2, sharpness: 0.1, assessable: 0.15 };

/**
 * Parts are those of the median face. Where others could be judged although that one is beyond a limit (75 % of what was
 * seen on corridor-walking.gif, its median just below `minSharpness`), the score is low, and not that of a wall.
 */
const LEAST = 0.02;

/**
 * Scores how well a camera is placed for judging masks. The score is the weighted geometric mean of the parts, as a chain
 * is as strong as its weakest link: where nobody can be judged the score is 0. Pure.
 */
export function ratePlacement(facts: PlacementFacts): Placement {
  const { faces } = facts;
  if (!faces) return { score: null, parts: null, advice: adviceOf(facts, null) };
  const parts = rateFaces(faces, facts.limits);
  const names = Object.keys(WEIGHTS) as PlacementPart[];
  const mean = names.reduce((product, name) => product * parts[name] ** WEIGHTS[name], 1);
  return { score: Math.round(100 * mean), parts, advice: adviceOf(facts, parts) };
}

function rateFaces(
  faces: FaceSummary,
  { minFacePx, minSharpness }: PlacementFacts['limits'],
): PlacementParts {
  const sidePx = faces.analysedPx.median;
  const least = faces.assessableShare > 0 ? LEAST : 0;
  return {
    size: Math.max(least, sidePx < minFacePx ? 0 : along(SIZE, sidePx)),
    angle: Math.max(
      least,
      Math.min(along(YAW, faces.yawDegrees), along(PITCH, Math.abs(faces.pitchDegrees))),
    ),
    light: Math.max(least, Math.min(along(BRIGHTNESS, faces.luma), along(CONTRAST, faces.lumaSpread))),
    sharpness: Math.max(least, faces.sharpness < minSharpness ? 0 : along(SHARPNESS, faces.sharpness)),
    assessable: faces.assessableShare,
  };
}

/** Straight between the points of a curve, level beyond its ends. */
function along(curve: Curve, value: number): number {
  const after = curve.findIndex(([at]) => at >= value);
  if (after < 0) return curve.at(-1)![1];
  const [toAt, toScore] = curve[after]!;
  if (after === 0) return toScore;
  const [fromAt, fromScore] = curve[after - 1]!;
  return fromScore + ((value - fromAt) / (toAt - fromAt)) * (toScore - fromScore);
}
