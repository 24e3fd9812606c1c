import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/domain/frame.js';
import type { PictureEvent } from '../../../src/publish/event-bus.js';
import { encodeJpeg, PictureEncoder } from '../../../src/publish/picture-encoder.js';

/** Left half of the content red, right half blue, everything outside of it green. */
function makeFrame(
  options: { cameraId?: string; frameId?: number; contentWidth?: number; contentHeight?: number } = {},
) {
  const { cameraId = 'gate', frameId = 1, contentWidth = 64, contentHeight = 36 } = options;
  const [width, height, byteOffset] = [64, 48, 64 * 48 * 3];
  const buffer = new SharedArrayBuffer(byteOffset * 2);
  const bytes = new Uint8Array(buffer, byteOffset);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const isContent = x < contentWidth && y < contentHeight;
      bytes.set(
        !isContent ? [0, 255, 0] : x < contentWidth / 2 ? [255, 0, 0] : [0, 0, 255],
        (y * width + x) * 3,
      );
    }
  let holds = 1;
  const frame: Frame = {
    cameraId,
    frameId,
    capturedAtMs: 5,
    monotonicMs: 5,
    pixels: { buffer, byteOffset, width, height, contentWidth, contentHeight },
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

describe('encoding a picture', () => {
  it.each([
    [64, 36],
    [48, 48],
    [50, 20],
  ])('shows the content area of %i×%i and nothing beside it', async (contentWidth, contentHeight) => {
    const jpeg = await encodeJpeg(makeFrame({ contentWidth, contentHeight }).frame, 95);
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([contentWidth, contentHeight]);
    const at = (x: number, y: number) => [
      ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
    ];
    const [red, blue] = [at(4, contentHeight - 2), at(contentWidth - 4, 2)];
    expect(red[0]).toBeGreaterThan(200);
    expect(red[2]).toBeLessThan(60);
    expect(blue[2]).toBeGreaterThan(200);
    expect(blue[0]).toBeLessThan(60);
  });

  it('makes one picture per camera at a time, counts what it skips, and lets every frame go', async () => {
    const pictures: PictureEvent[] = [];
    const skipped: string[] = [];
    const encoder = new PictureEncoder({
      onPicture: (picture) => pictures.push(picture),
      onSkipped: (cameraId) => skipped.push(cameraId),
    });
    const [first, second, other] = [
      makeFrame({ frameId: 1 }),
      makeFrame({ frameId: 2 }),
      makeFrame({ cameraId: 'hall', frameId: 9 }),
    ];
    expect([first, second, other].map(({ frame }) => encoder.offer(frame))).toEqual([true, false, true]);
    expect([first.holds(), second.holds(), other.holds()]).toEqual([2, 1, 2]);
    expect(skipped).toEqual(['gate']);
    await expect.poll(() => encoder.activeCount).toBe(0);
    expect([first.holds(), second.holds(), other.holds()]).toEqual([1, 1, 1]);
    expect(pictures.map(({ cameraId, frameId }) => `${cameraId}/${frameId}`).sort()).toEqual([
      'gate/1',
      'hall/9',
    ]);
    expect(encoder.offer(second.frame)).toBe(true);
    await encoder.close();
    expect(second.holds()).toBe(1);
    expect(encoder.offer(first.frame)).toBe(false);
  });

  it('lets the frame go when it fails, and says so', async () => {
    const failed: string[] = [];
    const encoder = new PictureEncoder({
      onPicture: () => undefined,
      onFailed: (cameraId) => failed.push(cameraId),
      quality: 1000,
    });
    const { frame, holds } = makeFrame();
    encoder.offer(frame);
    await expect.poll(() => failed).toEqual(['gate']);
    await expect.poll(holds).toBe(1);
    await encoder.close();
  });
});
