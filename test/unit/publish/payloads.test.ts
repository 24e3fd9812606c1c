import { describe, expect, it } from 'vitest';
import type { ActiveCondition } from '../../../src/domain/camera.js';
import type { Landmarks } from '../../../src/domain/face.js';
import { toCameraPayload, toDetectionsPayload, toEpisodePayload } from '../../../src/publish/payloads.js';
import { episode } from '../../contract/episode-store.suite.js';

const point = { x: 1, y: 1 };
const landmarks: Landmarks = [point, point, point, point, point];
const scores = { with_mask: 0.123456, without_mask: 0.876543, mask_worn_incorrectly: 0.000001 };

describe('payloads', () => {
  it('tell faces as the contract has them, rounded', () => {
    const payload = toDetectionsPayload({
      cameraId: 'gate',
      frameId: 12,
      capturedAtMs: Date.UTC(2026, 10, 24, 8, 0, 0, 5),
      sourceWidth: 1280,
      sourceHeight: 720,
      faces: [
        {
          trackId: 3,
          box: { x: 10.04999, y: 20.05001, width: 30, height: 40.26 },
          detectionScore: 0.98765,
          landmarks,
          outcome: 'not_assessable',
          reason: 'blurred',
          scores,
          decision: { outcome: 'without_mask', scores, evidenceCount: 4 },
        },
      ],
    });
    expect(payload).toEqual({
      v: 1,
      cameraId: 'gate',
      frameId: 12,
      capturedAt: '2026-11-24T08:00:00.005Z',
      width: 1280,
      height: 720,
      faces: [
        {
          trackId: 3,
          box: { x: 10, y: 20.1, width: 30, height: 40.3 },
          detectionScore: 0.9877,
          outcome: 'not_assessable',
          reason: 'blurred',
          scores: { with_mask: 0.1235, without_mask: 0.8765, mask_worn_incorrectly: 0 },
          decision: {
            outcome: 'without_mask',
            scores: { with_mask: 0.1235, without_mask: 0.8765, mask_worn_incorrectly: 0 },
            evidenceCount: 4,
          },
        },
      ],
    });
  });

  it('tell an episode with its verdict, and mark what has no number yet', () => {
    const closed = episode('e1', {
      state: 'closed',
      version: 3,
      closedAtMs: Date.UTC(2026, 10, 24, 8, 1),
      closeReason: 'complied',
      verdict: { kind: 'rejected', by: 'ann', reason: 'a beard', atMs: 5 },
    });
    const payload = toEpisodePayload({
      kind: 'stored',
      change: { sequence: 9, change: 'rejected', episode: closed },
    });
    expect(payload).toEqual({
      v: 1,
      sequence: 9,
      id: 'e1',
      version: 3,
      change: 'rejected',
      cameraId: 'gate',
      trackId: 7,
      label: 'without_mask',
      openedAt: '2026-11-24T08:00:00.000Z',
      closedAt: '2026-11-24T08:01:00.000Z',
      closeReason: 'complied',
      score: 0.91,
      verdict: 'rejected',
      by: 'ann',
      reason: 'a beard',
    });
    const provisional = toEpisodePayload({
      kind: 'provisional',
      change: { sequence: 0, change: 'opened', episode: episode('e2') },
    });
    expect(provisional).toMatchObject({ sequence: 0, isProvisional: true });
  });

  it('tell a camera', () => {
    const status = {
      cameraId: 'gate',
      state: 'backing_off',
      reason: 'refused',
      message: 'connection refused',
      sinceMs: 0,
      lastFrameAgeMs: 12.7,
      restarts: 2,
    } as const;
    expect(toCameraPayload({ name: 'Gate', status })).toEqual({
      v: 1,
      cameraId: 'gate',
      name: 'Gate',
      state: 'backing_off',
      reason: 'refused',
      message: 'connection refused',
      since: '1970-01-01T00:00:00.000Z',
      lastFrameAgeMs: 13,
      restarts: 2,
      conditions: [],
    });
  });

  it('tell what is wrong with a picture, and whether that makes the camera blind', () => {
    const status = {
      ...({ cameraId: 'gate', state: 'live', reason: 'first_frame' } as const),
      ...{ sinceMs: 0, lastFrameAgeMs: 1, restarts: 0 },
    };
    const payload = (...conditions: ActiveCondition[]) =>
      toCameraPayload({ name: 'Gate', status: { ...status, conditions } });
    const moved = payload({ condition: 'moved', sinceMs: 1000 });
    expect(moved.conditions).toEqual([{ condition: 'moved', since: '1970-01-01T00:00:01.000Z' }]);
    expect(moved).not.toHaveProperty('isBlind');
    expect(payload({ condition: 'moved', sinceMs: 1 }, { condition: 'black', sinceMs: 2 }).isBlind).toBe(
      true,
    );
  });
});
