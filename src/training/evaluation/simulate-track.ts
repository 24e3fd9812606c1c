import { CropSelector } from '../../crops/crop-selector.js';
import { DecisionMaker } from '../../decision/decision-maker.js';
import type { MaskPolicy } from '../../decision/policy.js';
import type { ViolationLabel } from '../../domain/episode.js';
import type { CropAssessment, FaceDetection, MaskPrediction } from '../../domain/face.js';
import type { MaskScores, NotAssessableReason } from '../../domain/label.js';
import type { FaceTrack } from '../../domain/track.js';

/** How one frame shows a face, and what the classifier would say of that crop. */
export interface Look {
  readonly scores: MaskScores;
  readonly faceScore: number;
  readonly quality: number;
  /** Null: assessable. */
  readonly reason: Exclude<NotAssessableReason, 'low_certainty'> | null;
}

export interface TrackRules {
  /** How long a person is in view, seconds, and how often the camera is analysed. */
  readonly trackSeconds: number;
  readonly rateFps: number;
  /** Of the service's configuration. */
  readonly recheckMs: number;
  readonly minFaceScore: number;
  readonly policy: Pick<MaskPolicy, 'labels' | 'closeThreshold' | 'minDurationMs' | 'graceMs'>;
}

const FRAME = { frameWidth: 1280, frameHeight: 720 };
const BOX = { x: 600, y: 300, width: 48, height: 60 };
const DETECTION: FaceDetection = {
  box: BOX,
  score: 0.9,
  sharpness: 1000,
  landmarks: [
    { x: 614, y: 324 },
    { x: 634, y: 324 },
    { x: 624, y: 336 },
    { x: 616, y: 348 },
    { x: 632, y: 348 },
  ],
};
const CONFIRMED_AFTER_FRAMES = 2;

/**
 * Takes one person through the service's own choice of crops and its decisions, frame by frame, once for each
 * threshold. `look` is asked once a frame for what is to be seen. Returns, per threshold of `openThresholds`, the
 * label with which an episode opened, or null. No clocks: times are the frames' own.
 */
export function simulateTrack(
  look: (frame: number) => Look,
  openThresholds: readonly number[],
  rules: TrackRules,
): (ViolationLabel | null)[] {
  const stepMs = 1000 / rules.rateFps;
  const frames = Math.max(1, Math.round(rules.trackSeconds * rules.rateFps));
  const selector = new CropSelector({ recheckMs: rules.recheckMs, maxCropsPerFrame: 1 });
  const runs = openThresholds.map((openThreshold) => ({
    opened: null as ViolationLabel | null,
    decisions: new DecisionMaker({
      cameraId: 'simulated',
      newEpisodeId: () => 'simulated',
      minFaceScore: rules.minFaceScore,
      policy: {
        ...rules.policy,
        openThreshold,
        closeThreshold: Math.min(rules.policy.closeThreshold, openThreshold / 2),
        ...{ zones: [], schedule: [], timeZone: 'UTC' },
      },
    }),
  }));
  for (let frame = 0; frame < frames; frame++) {
    const monotonicMs = frame * stepMs;
    const { scores, faceScore, quality, reason } = look(frame);
    const assessment: CropAssessment =
      reason === null ? { assessable: true, quality } : { assessable: false, quality, reason };
    const track: FaceTrack = {
      trackId: 1,
      state: frame + 1 >= CONFIRMED_AFTER_FRAMES ? 'confirmed' : 'tentative',
      box: BOX,
      detection: DETECTION,
      ...{ firstSeenMs: 0, lastSeenMs: monotonicMs, hits: frame + 1 },
    };
    // What is believed does not depend on the threshold, so one choice of crops serves all.
    const known = runs[0]!.decisions.decisions;
    const crops = selector.select([{ track, assessment }], known, monotonicMs);
    const predictions = crops.map(
      (): MaskPrediction => ({ trackId: 1, scores, faceScore, quality, monotonicMs }),
    );
    for (const [index, run] of runs.entries()) {
      // The first one goes on to the end: its decisions choose the crops of all.
      if (run.opened !== null && index > 0) continue;
      const { changes } = run.decisions.update({
        tracks: { tracks: [track], endedTrackIds: [] },
        assessments: new Map([[1, assessment]]),
        predictions,
        ...{ monotonicMs, wallMs: monotonicMs },
        ...FRAME,
      });
      const opened = changes.find(({ change }) => change === 'opened');
      if (opened) run.opened ??= opened.episode.label;
    }
  }
  return runs.map(({ opened }) => opened);
}
