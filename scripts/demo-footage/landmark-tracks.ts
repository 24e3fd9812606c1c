import type { Point } from '../../src/domain/box.js';
import type { FaceDetection, Landmarks } from '../../src/domain/face.js';

/**
 * One landmark track per person, a value for each frame. People are told apart by their order from left to
 * right, which holds in both source clips; frames with another number of faces are filled in between.
 */
export function landmarkTracks(
  detections: readonly (readonly FaceDetection[])[],
  people: number,
): Landmarks[][] {
  return Array.from({ length: people }, (_, person) => {
    const seen = detections.map((faces) => {
      const best = [...faces].sort((a, b) => b.score - a.score).slice(0, people);
      if (best.length < people) return null;
      return best.sort((a, b) => a.box.x - b.box.x)[person]?.landmarks ?? null;
    });
    return smooth(fillGaps(seen), 2);
  });
}

function fillGaps(values: readonly (Landmarks | null)[]): Landmarks[] {
  const known = values.flatMap((value, index) => (value ? [{ index, value }] : []));
  const first = known[0];
  if (!first) throw new Error('no frame shows everybody: lower the number of people of this scene');
  return values.map((value, index) => {
    if (value) return value;
    const before = known.findLast((entry) => entry.index < index) ?? first;
    const after = known.find((entry) => entry.index > index) ?? before;
    const span = after.index - before.index;
    const share = span > 0 ? (index - before.index) / span : 0;
    return mapLandmarks((k) => blend(before.value[k] as Point, after.value[k] as Point, share));
  });
}

/** Gaussian smoothing over time, `sigma` in frames: painted cloth must not tremble with the detector's noise. */
function smooth(values: readonly Landmarks[], sigma: number): Landmarks[] {
  const radius = Math.ceil(3 * sigma);
  return values.map((_, index) =>
    mapLandmarks((k) => {
      let x = 0;
      let y = 0;
      let total = 0;
      for (let offset = -radius; offset <= radius; offset++) {
        const value = values[Math.min(values.length - 1, Math.max(0, index + offset))]?.[k] as Point;
        const weight = Math.exp(-(offset * offset) / (2 * sigma * sigma));
        x += value.x * weight;
        y += value.y * weight;
        total += weight;
      }
      return { x: x / total, y: y / total };
    }),
  );
}

function mapLandmarks(at: (index: number) => Point): Landmarks {
  return [at(0), at(1), at(2), at(3), at(4)];
}

function blend(a: Point, b: Point, share: number): Point {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}
