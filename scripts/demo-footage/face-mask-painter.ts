import type { Point } from '../../src/domain/box.js';
import type { Landmarks } from '../../src/domain/face.js';

/** How a painted mask sits. `coverage` 1 is fully up, 0 is pulled off below the chin (and not drawn). */
export interface MaskPose {
  readonly coverage: number;
  /** True: the upper edge lies below the nose instead of across its bridge. */
  readonly belowNose: boolean;
}

export interface MaskCloth {
  readonly top: string;
  readonly bottom: string;
  readonly pleat: string;
}

/**
 * Draws a surgical mask for one face as an SVG fragment, in pixels of the picture.
 *
 * Face coordinates: origin between the eyes, `across` along the line of the eyes in units of the distance
 * between them, `down` towards the mouth in units of the distance from eyes to mouth. The nose's offset from
 * the middle tells the yaw: the cheek turned towards the camera gets more cloth, the other one less.
 */
export function paintMask(landmarks: Landmarks, pose: MaskPose, cloth: MaskCloth, id: string): string {
  if (pose.coverage <= 0) return '';
  const [rightEye, leftEye, nose, rightMouth, leftMouth] = landmarks;
  const middle = midpoint(rightEye, leftEye);
  const mouth = midpoint(rightMouth, leftMouth);
  const eyeDistancePx = Math.hypot(leftEye.x - rightEye.x, leftEye.y - rightEye.y);
  const faceHeightPx = Math.hypot(mouth.x - middle.x, mouth.y - middle.y);
  const across = { x: (leftEye.x - rightEye.x) / eyeDistancePx, y: (leftEye.y - rightEye.y) / eyeDistancePx };
  const down = { x: (mouth.x - middle.x) / faceHeightPx, y: (mouth.y - middle.y) / faceHeightPx };
  // A turned head shortens the distance between the eyes but not its height: 0.92 keeps the width believable.
  const unitPx = Math.max(eyeDistancePx, 0.92 * faceHeightPx);
  const noseAcross = ((nose.x - middle.x) * across.x + (nose.y - middle.y) * across.y) / unitPx;
  const yaw = Math.max(-0.6, Math.min(0.6, noseAcross));
  const left = 0.96 + 0.55 * yaw;
  const right = 0.96 - 0.55 * yaw;
  const sink = (1 - pose.coverage) * 1.5;
  const at = (a: number, d: number): string => {
    const x = middle.x + across.x * a * unitPx + down.x * (d + sink) * faceHeightPx;
    const y = middle.y + across.y * a * unitPx + down.y * (d + sink) * faceHeightPx;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  const bridge = pose.belowNose ? 0.88 : 0.27;
  const cheek = pose.belowNose ? 0.84 : 0.5;
  const centre = yaw * 0.85;
  const chin = 1.78;
  const outline =
    `M ${at(-left, cheek)} C ${at(-left * 0.6, cheek - 0.1)} ${at(centre - 0.25, bridge)} ${at(centre, bridge)} ` +
    `C ${at(centre + 0.25, bridge)} ${at(right * 0.6, cheek - 0.1)} ${at(right, cheek)} ` +
    `C ${at(right * 0.98, cheek + 0.45)} ${at(right * 0.75, 1.5)} ${at(centre * 0.9 + right * 0.42, chin - 0.06)} ` +
    `Q ${at(centre * 0.9, chin + 0.08)} ${at(centre * 0.9 - left * 0.42, chin - 0.06)} ` +
    `C ${at(-left * 0.75, 1.5)} ${at(-left * 0.98, cheek + 0.45)} ${at(-left, cheek)} Z`;
  const pleats = [0.3, 0.55, 0.8]
    .map((share) => {
      const level = cheek + (chin - cheek) * share;
      const half = 0.86 - 0.22 * share;
      return `<path d="M ${at(-left * half, level - 0.05)} Q ${at(centre, level + 0.1)} ${at(right * half, level - 0.05)}" fill="none" stroke="${cloth.pleat}" stroke-width="${(unitPx * 0.03).toFixed(2)}" stroke-opacity="0.7"/>`;
    })
    .join('');
  const straps = [
    [-left, cheek + 0.05, -left * 1.1, 0.12],
    [right, cheek + 0.05, right * 1.1, 0.12],
  ]
    .map(
      ([a0, d0, a1, d1]) =>
        `<path d="M ${at(a0 ?? 0, d0 ?? 0)} L ${at(a1 ?? 0, (d1 ?? 0) - sink * 0.4)}" stroke="#c9ced1" stroke-opacity="0.7" stroke-width="${(unitPx * 0.035).toFixed(2)}"/>`,
    )
    .join('');
  const opacity = Math.min(1, pose.coverage * 4);
  return (
    `<g opacity="${opacity.toFixed(2)}"><defs><linearGradient id="${id}" x1="0" y1="0" x2="0.25" y2="1">` +
    `<stop offset="0" stop-color="${cloth.top}"/><stop offset="1" stop-color="${cloth.bottom}"/></linearGradient>` +
    `<filter id="${id}-soft" x="-10%" y="-10%" width="120%" height="120%"><feGaussianBlur stdDeviation="${Math.max(0.6, unitPx * 0.012).toFixed(2)}"/></filter></defs>` +
    `<g filter="url(#${id}-soft)">${straps}<path d="${outline}" fill="url(#${id})" stroke="${cloth.pleat}" stroke-width="${(unitPx * 0.02).toFixed(2)}"/>${pleats}</g></g>`
  );
}

function midpoint(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
