import type { CropAssessment } from '../domain/face.js';
import { NOT_ASSESSABLE_REASONS, type NotAssessableReason } from '../domain/label.js';
import { percentile } from '../lib/percentile.js';

/** What was measured of one face in one frame. */
export interface FaceSighting {
  readonly trackId: number;
  /** Width of the box, pixels of the source frame. */
  readonly widthPx: number;
  /** Shorter side of the box, pixels of the analysed picture: what the limits of the classifier speak of. */
  readonly analysedPx: number;
  /** 0 (into the camera) … 90. */
  readonly yawDegrees: number;
  /** Above 0: seen from above. */
  readonly pitchDegrees: number;
  /** Mean luminance, 0…255, and its standard deviation. */
  readonly luma: number;
  readonly lumaSpread: number;
  /** Variance of the Laplacian (crops/sharpness.ts). */
  readonly sharpness: number;
  readonly assessment: CropAssessment;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What the faces of a stream are like: each face counts once, by the median of its sightings. */
export interface FaceSummary {
  /** Different faces. */
  readonly count: number;
  /** Faces of all frames together. */
  readonly sightings: number;
  readonly widthPx: Spread;
  readonly analysedPx: Spread;
  readonly yawDegrees: number;
  readonly pitchDegrees: number;
  readonly luma: number;
  readonly lumaSpread: number;
  readonly sharpness: number;
  /** Share of the sightings that could be judged, 0–1. */
  readonly assessableShare: number;
  /** How many sightings could not be, by why. */
  readonly notAssessable: Readonly<Partial<Record<NotAssessableReason, number>>>;
}

/**
 * What was seen in fewer frames than this is left out: on a clip without a face that is how the detector's false alarms
 * that outlive their track's confirmation look (one frame of 68 on negative-mask-on-bench.mp4), and a score of one is
 * advice about nothing.
 */
const MIN_SIGHTINGS = 2;
/** Of fewer frames (slow streams, keyframes only) whoever passes may well be on one alone. */
const FEW_FRAMES = 10;

type Measure = Exclude<keyof FaceSighting, 'trackId' | 'assessment'>;

/**
 * Collects what is seen of faces. Somebody who stands in view for a minute counts as much as somebody who passes, so
 * that the figures speak of the place and not of who lingered.
 */
export class FaceReadings {
  readonly #tracks = new Map<number, FaceSighting[]>();

  add(sighting: FaceSighting): void {
    const track = this.#tracks.get(sighting.trackId);
    if (track) track.push(sighting);
    else this.#tracks.set(sighting.trackId, [sighting]);
  }

  /** What was seen in so many analysed frames; `null` where no face was. */
  summary(frameCount: number): FaceSummary | null {
    const minSightings = frameCount < FEW_FRAMES ? 1 : MIN_SIGHTINGS;
    const tracks = [...this.#tracks.values()].filter(({ length }) => length >= minSightings);
    const all = tracks.flat();
    if (all.length === 0) return null;
    const perFace = (measure: Measure) =>
      tracks.map((sightings) => median(sightings.map((sighting) => sighting[measure])));
    const middle = (measure: Measure) => median(perFace(measure));
    const spread = (measure: Measure): Spread => {
      const values = perFace(measure);
      return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
    };
    const counts = NOT_ASSESSABLE_REASONS.map((reason) => {
      const count = all.filter(({ assessment }) => !assessment.assessable && assessment.reason === reason);
      return [reason, count.length] as const;
    });
    return {
      count: tracks.length,
      sightings: all.length,
      widthPx: spread('widthPx'),
      analysedPx: spread('analysedPx'),
      yawDegrees: middle('yawDegrees'),
      pitchDegrees: middle('pitchDegrees'),
      luma: middle('luma'),
      lumaSpread: middle('lumaSpread'),
      sharpness: middle('sharpness'),
      assessableShare: all.filter(({ assessment }) => assessment.assessable).length / all.length,
      notAssessable: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    };
  }
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5)!;
}
