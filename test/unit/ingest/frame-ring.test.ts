import { describe, expect, it } from 'vitest';
import { FrameRing } from '../../../src/ingest/frame-ring.js';

const stamp = {
  capturedAtMs: 1,
  monotonicMs: 2,
  sourceWidth: 8,
  sourceHeight: 4,
  contentWidth: 4,
  contentHeight: 2,
};
let cameras = 0;
const newRing = (slotCount?: number) =>
  new FrameRing({
    cameraId: `ring-${++cameras}`,
    widthPx: 4,
    heightPx: 2,
    ...(slotCount === undefined ? {} : { slotCount }),
  });

describe('FrameRing', () => {
  it('has four slots of rgb24 in one shared buffer', () => {
    const ring = newRing();
    expect(ring.frameBytes).toBe(24);
    const slots = Array.from({ length: 4 }, () => ring.acquire());
    expect(ring.acquire()).toBeNull();
    const frames = slots.map((slot) => slot!.publish(stamp));
    expect(new Set(frames.map((frame) => frame.pixels.buffer)).size).toBe(1);
    expect(frames.map((frame) => frame.pixels.byteOffset).sort((a, b) => a - b)).toEqual([0, 24, 48, 72]);
    expect(frames[0]!.pixels.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('gives a slot again only after the last hold is released', () => {
    const ring = newRing(1);
    const frame = ring.acquire()!.publish(stamp);
    frame.retain();
    frame.release();
    expect(ring.acquire()).toBeNull();
    frame.release();
    expect(ring.acquire()).not.toBeNull();
  });

  it('is loud about holds that do not add up', () => {
    const ring = newRing(1);
    const frame = ring.acquire()!.publish(stamp);
    frame.release();
    expect(() => frame.release()).toThrow(expect.objectContaining({ code: 'INGEST_FRAME_RELEASED' }));
    expect(() => frame.retain()).toThrow(expect.objectContaining({ code: 'INGEST_FRAME_RELEASED' }));
    expect(ring.freeCount).toBe(1);
    const slot = ring.acquire()!;
    slot.discard();
    expect(() => slot.publish(stamp)).toThrow(expect.objectContaining({ code: 'INGEST_SLOT_CLOSED' }));
  });

  it('tells one waiter when a slot becomes free', () => {
    const ring = newRing(1);
    const frame = ring.acquire()!.publish(stamp);
    let calls = 0;
    ring.onceFree(() => {
      calls += 1;
    });
    frame.release();
    ring.acquire()!.discard();
    expect(calls).toBe(1);
  });

  it('counts frame ids up per camera, also from one ring to the next', () => {
    const cameraId = 'ring-ids';
    const make = () => new FrameRing({ cameraId, widthPx: 4, heightPx: 2 });
    const ids = [make(), make()].flatMap((ring) => [
      ring.acquire()!.publish(stamp).frameId,
      ring.acquire()!.publish(stamp).frameId,
    ]);
    expect(ids).toEqual([0, 1, 2, 3]);
    expect(newRing().acquire()!.publish(stamp).frameId).toBe(0);
  });
});
