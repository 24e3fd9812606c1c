import { describe, expect, it } from 'vitest';
import { damageOf } from '../../../src/ingest/decode-damage.js';

const SIZE = { width: 1280, height: 720 };

describe('what a decoder had to make up', () => {
  it('is told in macroblocks by the H.264 decoder of either ffmpeg', () => {
    expect(
      damageOf('[h264 @ 0x5581e0] [info] concealing 360 DC, 360 AC, 360 MV errors in P frame', SIZE),
    ).toBeCloseTo(0.1);
    expect(damageOf('[h264 @ 0x1] concealing 3600 DC, 12 AC, 12 MV errors in I frame', SIZE)).toBe(1);
  });

  it('counts macroblocks that are cut by the edge, and is never more than all', () => {
    expect(damageOf('concealing 1 DC, 1 AC, 1 MV errors in P frame', { width: 17, height: 17 })).toBe(0.25);
    expect(damageOf('concealing 900 DC, 1 AC, 1 MV errors in P frame', { width: 32, height: 32 })).toBe(1);
  });

  it('is all of a picture where H.265 lacks its reference', () => {
    expect(damageOf('[hevc @ 0x55] [error] Could not find ref with POC 12', SIZE)).toBe(1);
  });

  it('is nothing that other lines tell of', () => {
    for (const line of [
      '[h264 @ 0x5] [error] error while decoding MB 12 3, bytestream -5',
      'frame=  10 fps=0.0 q=-0.0 size=N/A',
      '',
    ])
      expect(damageOf(line, SIZE)).toBeNull();
  });
});
