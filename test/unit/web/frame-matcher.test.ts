import { describe, expect, it } from 'vitest';
import type { DetectionsPayload, PicturePayload } from '../../../src/publish/events.js';
import { FrameMatcher } from '../../../web/src/frame-matcher.js';

const picture = (frameId: number, cameraId = 'a'): PicturePayload => ({
  v: 1,
  cameraId,
  frameId,
  capturedAt: new Date(frameId).toISOString(),
  jpeg: new Uint8Array(),
});
const detections = (frameId: number, cameraId = 'a'): DetectionsPayload => ({
  v: 1,
  cameraId,
  frameId,
  capturedAt: new Date(frameId).toISOString(),
  width: 1280,
  height: 720,
  faces: [],
});

function listening(): { matcher: FrameMatcher; seen: number[]; epochs: number[] } {
  const matcher = new FrameMatcher();
  const seen: number[] = [];
  const epochs: number[] = [];
  matcher.listen('a', (frame) => {
    expect(frame.picture.frameId).toBe(frame.detections.frameId);
    seen.push(frame.detections.frameId);
    epochs.push(frame.epoch);
  });
  return { matcher, seen, epochs };
}

describe('FrameMatcher', () => {
  it('tells a frame once both halves are there, whichever comes first', () => {
    const { matcher, seen } = listening();
    matcher.detections(detections(1));
    expect(seen).toEqual([]);
    matcher.picture(picture(1));
    matcher.picture(picture(2));
    matcher.detections(detections(2));
    expect(seen).toEqual([1, 2]);
  });

  it('never draws boxes on another frame when a picture is missing', () => {
    const { matcher, seen } = listening();
    matcher.detections(detections(1));
    matcher.detections(detections(2));
    matcher.picture(picture(2));
    expect(seen).toEqual([2]);
  });

  it('never goes back to an older frame', () => {
    const { matcher, seen } = listening();
    matcher.detections(detections(1));
    matcher.detections(detections(2));
    matcher.picture(picture(2));
    matcher.picture(picture(1));
    expect(seen).toEqual([2]);
  });

  it('keeps cameras apart', () => {
    const { matcher, seen } = listening();
    matcher.detections(detections(1));
    matcher.picture(picture(1, 'b'));
    expect(seen).toEqual([]);
  });

  it('takes the low frame numbers of a restarted service after a reset', () => {
    const { matcher, seen, epochs } = listening();
    matcher.detections(detections(500));
    matcher.picture(picture(500));
    matcher.reset();
    matcher.detections(detections(1));
    matcher.picture(picture(1));
    expect(seen).toEqual([500, 1]);
    expect(epochs).toEqual([0, 1]);
  });
});
