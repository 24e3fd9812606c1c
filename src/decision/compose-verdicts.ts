import type { CropAssessment, FaceVerdict } from '../domain/face.js';
import type { Outcome } from '../domain/label.js';
import type { FaceTrack } from '../domain/track.js';
import type { Evidence } from './evidence.js';

/**
 * What is told about a face that is seen in this frame. A decision stands while the face turns away or blurs
 * for a moment; once it could not be judged for `staleAfterMs` the face is not assessable, with the reason of
 * this frame. The accumulated scores are told in every case.
 */
export function composeVerdict(
  track: FaceTrack & { readonly detection: NonNullable<FaceTrack['detection']> },
  assessment: CropAssessment | undefined,
  evidence: Evidence,
  nowMs: number,
  staleAfterMs: number,
): FaceVerdict {
  const { detection, trackId } = track;
  const decision = evidence.decision();
  const present: Pick<FaceVerdict, 'outcome' | 'reason'> = {
    outcome: 'not_assessable' satisfies Outcome,
    reason: assessment?.assessable === false ? assessment.reason : 'low_certainty',
  };
  const isStale = assessment?.assessable === false && nowMs - evidence.lastMs > staleAfterMs;
  const judged = decision && decision.outcome !== 'not_assessable' && !isStale;
  return {
    trackId,
    box: detection.box,
    detectionScore: detection.score,
    landmarks: detection.landmarks,
    ...(judged ? { outcome: decision.outcome } : present),
    scores: evidence.scores,
    ...(decision ? { decision } : {}),
  };
}
