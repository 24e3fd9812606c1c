import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/domain/frame.js';
import { LatestFrameSlot } from '../../../src/pipeline/latest-frame-slot.js';

function countedFrame(frameId: number): { frame: Frame; holds: () => number } {
  let holds = 1;
  const frame: Frame = {
    cameraId: 'cam',
    frameId,
    capturedAtMs: 0,
    monotonicMs: frameId,
    pixels: {
      buffer: new SharedArrayBuffer(3),
      byteOffset: 0,
      width: 1,
      height: 1,
      contentWidth: 1,
      contentHeight: 1,
    },
    sourceWidth: 1,
    sourceHeight: 1,
    retain: () => {
      holds++;
    },
    release: () => {
      holds--;
    },
  };
  return { frame, holds: () => holds };
}

describe('LatestFrameSlot', () => {
  it('gives the newest frame, and releases and reports the one it replaced', async () => {
    const replaced: number[] = [];
    const slot = new LatestFrameSlot((frame) => replaced.push(frame.frameId));
    const old = countedFrame(1);
    const newer = countedFrame(2);
    slot.put(old.frame);
    slot.put(newer.frame);
    expect(replaced).toEqual([1]);
    expect(old.holds()).toBe(0);
    const taken = await slot.take(new AbortController().signal);
    expect(taken?.frameId).toBe(2);
    expect(newer.holds()).toBe(1);
    expect(slot.isFull).toBe(false);
  });

  it('wakes a waiting taker', async () => {
    const slot = new LatestFrameSlot(() => {});
    const taking = slot.take(new AbortController().signal);
    slot.put(countedFrame(7).frame);
    expect((await taking)?.frameId).toBe(7);
  });

  it('ends the wait with null when the signal aborts, before or while waiting', async () => {
    const slot = new LatestFrameSlot(() => {});
    const controller = new AbortController();
    const taking = slot.take(controller.signal);
    controller.abort();
    expect(await taking).toBeNull();
    slot.put(countedFrame(1).frame);
    expect(await slot.take(controller.signal)).toBeNull();
    expect(slot.isFull).toBe(true);
  });

  it('lets go of what waits when it is cleared', () => {
    const slot = new LatestFrameSlot(() => {});
    const waiting = countedFrame(1);
    slot.put(waiting.frame);
    expect(slot.clear()).toBe(true);
    expect(waiting.holds()).toBe(0);
    expect(slot.clear()).toBe(false);
  });
});
