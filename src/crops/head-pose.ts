import type { Landmarks } from '../domain/face.js';

/** How far the tip of the nose stands before the plane of eyes and mouth, as a share of the distance of the eyes. */
const NOSE_DEPTH = 0.5;
/**
 * Of a face that looks straight into the camera: how far down from the eyes to the mouth the tip of the nose is, and the
 * distance from eyes to mouth in terms of that between the eyes. Both from the five points to which ArcFace aligns faces
 * (112 px template of InsightFace: eyes at y 51.6, 35.2 apart, nose 71.7, mouth 92.3).
 */
const NOSE_PLACE = 0.494;
const EYES_TO_MOUTH = 1.156;

/**
 * Estimated turn of the head to a side, degrees, 0 (into the camera) … 90.
 *
 * Weak perspective (Gee and Cipolla, "Determining the gaze of faces in images", 1994): with the head turned by
 * θ the eyes are E·cos θ apart, and the tip of the nose, d·E before their plane, moves from their middle along
 * the line of the eyes by d·E·sin θ; so tan θ = moved / (d · apart). d = 0.5 lies between the ratios of their
 * face model (0.6) and of an average adult (about 32 mm before eyes 63 mm apart). Roll does not matter; the nose
 * of a masked face is the detector's guess, and near 90° both eyes fall together: an estimate.
 */
export function yawDegrees([right, left, nose]: Landmarks): number {
  const [dx, dy] = [left.x - right.x, left.y - right.y];
  const apart = Math.hypot(dx, dy);
  if (apart === 0) return 90;
  const moved = ((nose.x - (left.x + right.x) / 2) * dx + (nose.y - (left.y + right.y) / 2) * dy) / apart;
  return (Math.atan2(Math.abs(moved), NOSE_DEPTH * apart) * 180) / Math.PI;
}

/** Half the distance of the corners of the mouth in terms of that between the eyes, from the same template. */
const HALF_MOUTH = 0.41;

/**
 * How far the head leans to a side, degrees, −180 … 180: above 0 clockwise as the picture shows it, 0 with the eyes
 * level above the mouth.
 *
 * The turn that brings eyes and corners of the mouth of the template best onto these (least squares over turn, place and
 * size: Umeyama, "Least-squares estimation of transformation parameters", 1991). The nose is left out, which moves as the
 * head turns. The eyes of a profile lie almost in one: there the line from them to the mouth decides by itself.
 */
export function rollDegrees([right, left, , mouthRight, mouthLeft]: Landmarks): number {
  const acrossX = 0.5 * (left.x - right.x) + HALF_MOUTH * (mouthLeft.x - mouthRight.x);
  const acrossY = 0.5 * (left.y - right.y) + HALF_MOUTH * (mouthLeft.y - mouthRight.y);
  const downX = (EYES_TO_MOUTH / 2) * (mouthRight.x + mouthLeft.x - right.x - left.x);
  const downY = (EYES_TO_MOUTH / 2) * (mouthRight.y + mouthLeft.y - right.y - left.y);
  return (Math.atan2(acrossY - downX, acrossX + downY) * 180) / Math.PI;
}

/**
 * The lean that a crop takes back: all of it from `fromDegrees` on, none below; none at all for a model that takes heads
 * as they are (null), and of a face whose lean is not known.
 */
export function leanToTakeBack(rollDegrees: number | undefined, fromDegrees: number | null): number {
  const isTaken = rollDegrees !== undefined && fromDegrees !== null && Math.abs(rollDegrees) >= fromDegrees;
  return isTaken ? rollDegrees : 0;
}

/**
 * Estimated angle from which a face is seen, degrees, −90 … 90: above 0 from above (a high camera, or a head that is
 * bowed), below 0 from below.
 *
 * As {@link yawDegrees}, along the line from the middle of the eyes to that of the mouth, which shrinks with cos θ, while
 * the nose moves down it by its depth times sin θ: nose / mouth = p + (d / l) · tan θ. Points are ±2 px for small faces
 * and a mask hides two of the three: good for the mean of many faces, not for one.
 */
export function pitchDegrees([right, left, nose, mouthRight, mouthLeft]: Landmarks): number {
  const eyes = { x: (right.x + left.x) / 2, y: (right.y + left.y) / 2 };
  const dx = (mouthRight.x + mouthLeft.x) / 2 - eyes.x;
  const dy = (mouthRight.y + mouthLeft.y) / 2 - eyes.y;
  const squared = dx * dx + dy * dy;
  if (squared === 0) return 90;
  const place = ((nose.x - eyes.x) * dx + (nose.y - eyes.y) * dy) / squared;
  return (Math.atan2(place - NOSE_PLACE, NOSE_DEPTH / EYES_TO_MOUTH) * 180) / Math.PI;
}
