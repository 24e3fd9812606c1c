import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/domain/frame.js';
import { FrameRing } from '../../../src/ingest/frame-ring.js';
import { FrameSplitter } from '../../../src/ingest/frame-splitter.js';

const BYTES = 4 * 2 * 3;
const SIZE = { sourceWidth: 8, sourceHeight: 4, contentWidth: 4, contentHeight: 2 };

function setUp(options: { slotCount?: number; whenFull?: 'drop' | 'wait'; fallback?: boolean } = {}) {
  const ring = new FrameRing({
    cameraId: 'splitter',
    widthPx: 4,
    heightPx: 2,
    slotCount: options.slotCount ?? 4,
  });
  const frames: Frame[] = [];
  const drops: string[] = [];
  let timeMs = 0;
  const splitter = new FrameSplitter({
    ring,
    whenFull: options.whenFull ?? 'drop',
    stamp: (index) => ({ capturedAtMs: 1000 + index, monotonicMs: ++timeMs }),
    onFrame: (frame) => frames.push(frame),
    onDropped: (reason) => drops.push(reason),
    ...(options.fallback ? { fallbackSize: () => SIZE } : {}),
  });
  return { ring, splitter, frames, drops };
}

const picture = (value: number) => Buffer.alloc(BYTES, value);
const bytesOf = ({ pixels }: Frame) => [...new Uint8Array(pixels.buffer, pixels.byteOffset, BYTES)];

describe('FrameSplitter', () => {
  it.each([1, 7, BYTES - 1, BYTES, BYTES + 1, 3 * BYTES])('cuts chunks of %i bytes into frames', (size) => {
    const { splitter, frames, drops } = setUp();
    splitter.setPictureSize(SIZE);
    const all = Buffer.concat([picture(1), picture(2), picture(3)]);
    for (let offset = 0; offset < all.length; offset += size)
      splitter.write(all.subarray(offset, offset + size));
    expect(frames.map(bytesOf)).toEqual([1, 2, 3].map((value) => [...picture(value)]));
    expect(frames[2]).toMatchObject({
      ...{ sourceWidth: 8, sourceHeight: 4 },
      capturedAtMs: 1002,
      monotonicMs: 3,
    });
    expect(frames[0]!.pixels).toMatchObject({ contentWidth: 4, contentHeight: 2, width: 4, height: 2 });
    expect(drops).toEqual([]);
  });

  it('drains the pipe and counts when every slot is held', () => {
    const { splitter, frames, drops } = setUp({ slotCount: 2 });
    splitter.setPictureSize(SIZE);
    for (let value = 1; value <= 5; value += 1) expect(splitter.write(picture(value))).toBe(true);
    expect(frames.map((frame) => bytesOf(frame)[0])).toEqual([1, 2]);
    expect(drops).toEqual(['no_buffer', 'no_buffer', 'no_buffer']);
    frames[0]!.release();
    splitter.write(picture(6));
    expect(bytesOf(frames[2]!)[0]).toBe(6);
    expect(bytesOf(frames[1]!)[0]).toBe(2);
  });

  it('stays in step when a slot becomes free in the middle of a dropped frame', () => {
    const { splitter, frames } = setUp({ slotCount: 1 });
    splitter.setPictureSize(SIZE);
    splitter.write(picture(1));
    splitter.write(picture(2).subarray(0, 5));
    frames[0]!.release();
    splitter.write(picture(2).subarray(5));
    splitter.write(picture(3));
    expect(frames.map((frame) => bytesOf(frame))).toEqual([[...picture(3)], [...picture(3)]]);
    expect(frames).toHaveLength(2);
  });

  it('waits instead of dropping where asked, and goes on in the middle of a chunk', () => {
    const { splitter, frames, drops } = setUp({ slotCount: 1, whenFull: 'wait' });
    splitter.setPictureSize(SIZE);
    let isWritten = false;
    splitter.write(Buffer.concat([picture(1), picture(2), picture(3)]), () => {
      isWritten = true;
    });
    expect(frames.map((frame) => bytesOf(frame)[0])).toEqual([1]);
    frames[0]!.release();
    expect(bytesOf(frames[1]!)[0]).toBe(2);
    frames[1]!.release();
    expect(bytesOf(frames[2]!)[0]).toBe(3);
    expect(drops).toEqual([]);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => expect(isWritten).toBe(true));
  });

  it('keeps the first frame back until its size is known', () => {
    const { splitter, frames, drops } = setUp();
    splitter.write(picture(1));
    expect(frames).toEqual([]);
    splitter.setPictureSize(SIZE);
    expect(bytesOf(frames[0]!)[0]).toBe(1);
    expect(drops).toEqual([]);
  });

  it('drops further frames without a size when live, and waits when recorded', () => {
    const live = setUp();
    live.splitter.write(Buffer.concat([picture(1), picture(2)]));
    expect(live.drops).toEqual(['no_buffer']);
    live.splitter.setPictureSize(SIZE);
    expect(live.frames.map((frame) => bytesOf(frame)[0])).toEqual([1]);

    const recorded = setUp({ whenFull: 'wait' });
    recorded.splitter.write(Buffer.concat([picture(1), picture(2)]));
    recorded.splitter.setPictureSize(SIZE);
    expect(recorded.frames.map((frame) => bytesOf(frame)[0])).toEqual([1, 2]);
    expect(recorded.drops).toEqual([]);
  });

  it('takes the second best size when the best does not come', () => {
    const { splitter, frames } = setUp({ fallback: true });
    splitter.write(picture(1));
    expect(frames).toHaveLength(0);
    splitter.write(picture(2));
    expect(frames.map((frame) => bytesOf(frame)[0])).toEqual([1, 2]);
  });

  it('delivers at the end what it kept back', async () => {
    const { splitter, frames } = setUp({ fallback: true });
    splitter.write(picture(1));
    await splitter.finish();
    expect(frames).toHaveLength(1);
  });

  it('delivers at the end what still waits for slots', async () => {
    const { splitter, frames } = setUp({ slotCount: 1, whenFull: 'wait' });
    splitter.setPictureSize(SIZE);
    splitter.write(Buffer.concat([picture(1), picture(2)]));
    splitter.write(picture(3));
    let isFinished = false;
    const finished = splitter.finish().then(() => {
      isFinished = true;
    });
    for (const index of [0, 1]) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      expect(isFinished).toBe(false);
      frames[index]!.release();
    }
    await finished;
    expect(frames.map((frame) => frame.frameId - frames[0]!.frameId)).toEqual([0, 1, 2]);
  });

  it('delivers nothing after stop, swallows the rest and gives every slot back', () => {
    const { ring, splitter, frames, drops } = setUp({ slotCount: 2 });
    splitter.setPictureSize(SIZE);
    splitter.write(picture(1).subarray(0, 3));
    splitter.stop();
    expect(splitter.write(Buffer.concat([picture(1), picture(2)]))).toBe(true);
    splitter.stop();
    expect(frames).toEqual([]);
    expect(drops).toEqual([]);
    expect(ring.freeCount).toBe(2);
  });

  it('lets a waiting pipe go when it is stopped', () => {
    const { ring, splitter, frames } = setUp({ slotCount: 1, whenFull: 'wait' });
    splitter.setPictureSize(SIZE);
    splitter.write(Buffer.concat([picture(1), picture(2)]));
    splitter.stop();
    frames[0]!.release();
    expect(ring.freeCount).toBe(1);
    expect(frames).toHaveLength(1);
  });
});
