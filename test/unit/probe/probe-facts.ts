import type { FaceSighting, FaceSummary } from '../../../src/probe/face-readings.js';
import { FaceReadings } from '../../../src/probe/face-readings.js';
import type { PlacementFacts } from '../../../src/probe/placement.js';

/** One look at a face about which there is nothing to say. */
export function sighting(what: Partial<FaceSighting> = {}): FaceSighting {
  return {
    trackId: 1,
    ...{ widthPx: 80, analysedPx: 40, yawDegrees: 8, pitchDegrees: 5 },
    ...{ luma: 120, lumaSpread: 35, sharpness: 900 },
    assessment: { assessable: true, quality: 0.8 },
    ...what,
  };
}

/** Four faces that are all alike. */
export function summary(what: Partial<FaceSighting> = {}): FaceSummary {
  const readings = new FaceReadings();
  for (const trackId of [1, 2, 3, 4]) readings.add(sighting({ trackId, ...what }));
  return readings.summary(1)!;
}

/** A placement about which there is nothing to say. */
export function facts(what: Partial<PlacementFacts> = {}): PlacementFacts {
  return {
    faces: summary(),
    pictureLuma: 115,
    watchedMs: 10_000,
    source: { width: 1280, height: 720 },
    analysed: { width: 640, height: 360 },
    limits: { minFacePx: 8, minSharpness: 20 },
    isSubStream: false,
    ...what,
  };
}
