import { describe, expect, it } from 'vitest';
import type { ClassificationOutcome } from '../../../src/classification/mask-classifier.js';
import { CropSelector } from '../../../src/crops/crop-selector.js';
import { rollDegrees } from '../../../src/crops/head-pose.js';
import { DecisionMaker } from '../../../src/decision/decision-maker.js';
import { createEpisodeIdGenerator } from '../../../src/decision/episode-id.js';
import type { DetectionOutcome } from '../../../src/detection/face-detector.js';
import type { EpisodeChange } from '../../../src/domain/episode.js';
import type { FaceDetection, FaceVerdict } from '../../../src/domain/face.js';
import type { Frame } from '../../../src/domain/frame.js';
import { PIPELINE_STAGES } from '../../../src/domain/stage.js';
import { ManualClock } from '../../../src/lib/clock.js';
import {
  CameraPipeline,
  type PictureWatch,
  type PipelineObserver,
} from '../../../src/pipeline/camera-pipeline.js';
import { FaceTracker } from '../../../src/tracking/face-tracker.js';
import type { CropRequest } from '../../../workers/protocol.js';
import { anyStatistics } from '../../support/made-pictures.js';

/** A camera of 1280×720 that is analysed at 640×360. */
function frameAt(clock: ManualClock, frameId: number): { frame: Frame; holds: () => number } {
  let holds = 1;
  const frame: Frame = {
    cameraId: 'cam',
    frameId,
    capturedAtMs: clock.wallMs(),
    monotonicMs: clock.monotonicMs(),
    pixels: {
      buffer: new SharedArrayBuffer(3),
      byteOffset: 0,
      width: 640,
      height: 360,
      contentWidth: 640,
      contentHeight: 360,
    },
    sourceWidth: 1280,
    sourceHeight: 720,
    retain: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
    },
  };
  return { frame, holds: () => holds };
}

function face(x: number): FaceDetection {
  const at = (dx: number, dy: number) => ({ x: x + dx, y: 200 + dy });
  return {
    box: { x, y: 200, width: 100, height: 120 },
    score: 0.9,
    sharpness: 900,
    // The head leans by some 17°.
    landmarks: [at(34, 38), at(72, 50), at(46, 70), at(24, 88), at(54, 96)],
  };
}

interface Rig {
  readonly clock: ManualClock;
  readonly pipeline: CameraPipeline;
  readonly analysed: { frameId: number; faces: readonly FaceVerdict[] }[];
  readonly changes: EpisodeChange[];
  readonly dropped: string[];
  readonly failed: unknown[];
  readonly entered: string[];
  readonly crops: CropRequest[];
  readonly errors: { detection: boolean; classification: boolean; isNoFace: boolean };
  readonly rejected: number[];
}

function rig(
  detect: (frame: Frame) => Promise<DetectionOutcome> | DetectionOutcome,
  pictures?: PictureWatch,
): Rig {
  const clock = new ManualClock();
  const analysed: Rig['analysed'] = [];
  const changes: EpisodeChange[] = [];
  const dropped: string[] = [];
  const failed: unknown[] = [];
  const entered: string[] = [];
  const crops: CropRequest[] = [];
  const errors = { detection: false, classification: false, isNoFace: false };
  const rejected: number[] = [];
  const observer: PipelineObserver = {
    dropped: (reason) => dropped.push(reason),
    failed: (error) => failed.push(error),
    frameAge: (stage) => entered.push(stage),
    stageDuration: () => {},
    tracks: () => {},
    rejected: (count) => rejected.push(count),
  };
  const pipeline = new CameraPipeline({
    cameraId: 'cam',
    clock,
    detector: {
      detect: async (frame) =>
        errors.detection
          ? { ok: false, error: { code: 'WORKER_DIED', message: 'x', retryable: true } }
          : await detect(frame),
    },
    tracker: new FaceTracker({ highScore: 0.5, lowScore: 0.25, confirmHits: 2, maxLostMs: 2000 }),
    cropThresholds: { minFacePx: 16, minSharpness: 20 },
    selector: new CropSelector({ recheckMs: 1000, maxCropsPerFrame: 16 }),
    classifier: {
      classify: async (requests) => {
        crops.push(...requests);
        return requests.map(
          (): ClassificationOutcome =>
            errors.classification
              ? { ok: false, error: { code: 'POOL_OVERLOADED', message: 'x', retryable: true } }
              : {
                  ok: true,
                  scores: { with_mask: 0.03, without_mask: 0.95, mask_worn_incorrectly: 0.02 },
                  faceScore: errors.isNoFace ? 0.02 : 1,
                },
        );
      },
    },
    decisions: new DecisionMaker({
      cameraId: 'cam',
      newEpisodeId: createEpisodeIdGenerator(),
      policy: {
        labels: ['without_mask'],
        ...{ openThreshold: 0.8, closeThreshold: 0.4, minDurationMs: 500, graceMs: 1000 },
        ...{ zones: [], schedule: [], timeZone: 'UTC' },
      },
    }),
    ...(pictures ? { pictures } : {}),
    output: {
      analysed: (frame, faces) => analysed.push({ frameId: frame.frameId, faces }),
      episodes: (told) => changes.push(...told),
    },
    observer,
  });
  return { clock, pipeline, analysed, changes, dropped, failed, entered, crops, errors, rejected };
}

async function play(on: Rig, frames: number): Promise<void> {
  for (let index = 0; index < frames; index++) {
    await on.pipeline.analyse(frameAt(on.clock, index).frame);
    on.clock.advance(200);
  }
}

const oneFace = () =>
  ({ ok: true, faces: [face(300)], timings: { prepareMs: 0, inferenceMs: 0, finishMs: 0 } }) as const;

describe('CameraPipeline', () => {
  it('leads from a bare face to one opened episode, and shows a face only once its track is confirmed', async () => {
    const on = rig(oneFace);
    await play(on, 12);
    expect(on.analysed.map(({ frameId }) => frameId)).toEqual([...Array(12).keys()]);
    expect(on.analysed[0]?.faces).toEqual([]);
    expect(on.analysed[1]?.faces).toHaveLength(1);
    expect(on.analysed.at(-1)?.faces[0]?.outcome).toBe('without_mask');
    expect(on.changes.map(({ change }) => change)).toEqual(['opened']);
    expect(on.changes[0]?.episode).toMatchObject({ cameraId: 'cam', label: 'without_mask', version: 1 });
    // The detector has a say in whether it is a face at all.
    for (const { detectionScore } of on.crops) expect(detectionScore).toBe(face(300).score);
    // And its landmarks in how the crop is cut.
    for (const { rollDegrees: lean } of on.crops) expect(lean).toBe(rollDegrees(face(300).landmarks));
    expect(rollDegrees(face(300).landmarks)).not.toBe(0);
  });

  it('shows nothing that the classifier holds for no face, and tells that it was rejected', async () => {
    const on = rig(oneFace);
    on.errors.isNoFace = true;
    await play(on, 12);
    expect(on.analysed.flatMap(({ faces }) => faces)).toEqual([]);
    expect(on.changes).toEqual([]);
    expect(on.rejected).toEqual([1]);
  });

  it('measures the age of a frame at every stage', async () => {
    const on = rig(oneFace);
    await play(on, 1);
    expect(on.entered).toEqual([...PIPELINE_STAGES]);
  });

  it('asks for crops in pixels of the analysed picture', async () => {
    const on = rig(oneFace);
    await play(on, 2);
    expect(on.crops[0]?.box).toEqual({ x: 150, y: 100, width: 50, height: 60 });
  });

  it('counts a frame on which inference failed and goes on', async () => {
    const on = rig(oneFace);
    on.errors.detection = true;
    await play(on, 1);
    expect(on.dropped).toEqual(['failed']);
    on.errors.detection = false;
    await play(on, 1);
    expect(on.analysed).toHaveLength(1);
  });

  it('goes on after a frame whose analysis throws, tells it, and releases the frame', async () => {
    const fault = new Error('a fault of ours');
    const on = rig((frame) => {
      if (frame.frameId === 0) throw fault;
      return oneFace();
    });
    const stop = new AbortController();
    const running = on.pipeline.run(stop.signal);
    const frames = [0, 1].map((frameId) => frameAt(on.clock, frameId));
    on.pipeline.offer(frames[0]!.frame);
    await expect.poll(() => on.failed).toEqual([fault]);
    on.pipeline.offer(frames[1]!.frame);
    await expect.poll(() => on.analysed.map(({ frameId }) => frameId)).toEqual([1]);
    stop.abort();
    await running;
    expect(on.dropped).toEqual(['failed']);
    expect(frames.map(({ holds }) => holds())).toEqual([0, 0]);
  });

  it('leaves a face undecided while its crops cannot be classified', async () => {
    const on = rig(oneFace);
    on.errors.classification = true;
    await play(on, 10);
    expect(on.analysed.at(-1)?.faces[0]).toMatchObject({
      outcome: 'not_assessable',
      reason: 'low_certainty',
    });
    expect(on.changes).toEqual([]);
  });

  it('takes the newest frame while one is on its way, and releases every frame once', async () => {
    let finish: () => void = () => {};
    const started: number[] = [];
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const on = rig(async (frame) => {
      started.push(frame.frameId);
      if (started.length === 1) {
        begin();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }
      return oneFace();
    });
    const stop = new AbortController();
    const frames = [0, 1, 2].map((frameId) => frameAt(on.clock, frameId));
    const running = on.pipeline.run(stop.signal);
    on.pipeline.offer(frames[0]!.frame);
    await begun;
    on.pipeline.offer(frames[1]!.frame);
    on.pipeline.offer(frames[2]!.frame);
    expect(on.dropped).toEqual(['stale']);
    stop.abort();
    finish();
    await running;
    // The frame in hand is finished, the waiting one is let go.
    expect(on.analysed.map(({ frameId }) => frameId)).toEqual([0]);
    expect(on.dropped).toEqual(['stale', 'closing']);
    expect(frames.map(({ holds }) => holds())).toEqual([0, 0, 0]);
  });

  it('judges nobody on a blind picture, shows it, and closes what is open as if the camera were lost', async () => {
    let isFit = true;
    const statistics = anyStatistics();
    const observed: unknown[] = [];
    const on = rig(() => ({ ...oneFace(), statistics }), {
      observe: (...seen) => {
        observed.push(seen[0]);
        return isFit;
      },
    });
    await play(on, 12);
    expect(on.changes.map(({ change }) => change)).toEqual(['opened']);
    const cropsBefore = on.crops.length;

    isFit = false;
    await play(on, 40);
    on.pipeline.tick();
    expect(on.changes).toHaveLength(1);
    expect(on.analysed.at(-1)?.faces).toEqual([]);
    expect(on.crops).toHaveLength(cropsBefore);
    await play(on, 15);
    on.pipeline.tick();
    expect(on.changes.slice(1)).toMatchObject([
      { change: 'closed', episode: { closeReason: 'camera_lost', state: 'closed' } },
    ]);

    isFit = true;
    await play(on, 12);
    expect(on.changes.at(-1)).toMatchObject({ change: 'opened' });
    expect(observed).toHaveLength(12 + 40 + 15 + 12);
    expect(observed[0]).toBe(statistics);
    expect(on.dropped).toEqual([]);
  });

  it('closes what is open when the camera is stopped', async () => {
    const on = rig(oneFace);
    await play(on, 12);
    on.pipeline.closeEpisodes('shutdown');
    expect(on.changes.at(-1)).toMatchObject({
      change: 'closed',
      episode: { closeReason: 'shutdown', state: 'closed' },
    });
  });
});
