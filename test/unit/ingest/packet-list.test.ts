import { describe, expect, it } from 'vitest';
import { PacketList } from '../../../src/ingest/packet-list.js';

/** Lines as ffmpeg of 2018 (`2018`) and 5.1 write them: a keyframe every `every` of 25 packets a second, 1000 bytes each. */
function lines(count: number, every: number, wording: '2018' | '5.1', stepTicks = 3600): string[] {
  const head = ['#extradata 0:       37, 0x8b99093b', '#tb 0: 1/90000', '#codec_id 0: h264'];
  const side = wording === '5.1' ? ', S=1,       16' : '';
  const packets = Array.from({ length: count }, (_, index) => {
    const time = String(index * stepTicks).padStart(11);
    const flags = index % every === 0 ? '' : ', F=0x0';
    return `0,${time},${time},     3600,     1000, 0x1d3bb101${flags}${side}`;
  });
  return [...head, ...packets];
}

function read(text: readonly string[], arrivalMs: (index: number) => number = () => 0) {
  const list = new PacketList();
  for (const [index, line] of text.entries()) list.read(line, arrivalMs(index));
  return list.figures;
}

describe.each(['2018', '5.1'] as const)('the list of packets as ffmpeg %s writes it', (wording) => {
  it('tells rate, bit rate and keyframes in the stream’s own time', () => {
    const figures = read(lines(101, 50, wording));
    expect(figures).toMatchObject({ packetCount: 101, keyframeCount: 3, spanMs: 4000 });
    expect(figures.rateFps).toBeCloseTo(25);
    expect(figures.bitrateKbps).toBeCloseTo(200);
    expect(figures.keyframeIntervalMs).toBe(2000);
  });
});

describe('PacketList', () => {
  it('takes the time of arrival where the stream’s stands still or runs back', () => {
    const still = read(lines(51, 25, '5.1', 0), (index) => index * 40);
    expect(still.rateFps).toBeCloseTo(25);
    expect(still.keyframeIntervalMs).toBe(1000);
    const back = read([...lines(26, 25, '5.1'), ...lines(26, 25, '5.1').slice(3)], (index) => index * 100);
    expect(back.spanMs).toBe(5100);
  });

  it('takes a keyframe that is also marked as damaged for one', () => {
    const text = lines(3, 1, '5.1').map((line) => line.replace(', S=1', ', F=0x3, S=1'));
    expect(read(text).keyframeCount).toBe(3);
  });

  it('knows nothing of one packet, and of none', () => {
    expect(read(lines(1, 1, '2018'))).toMatchObject({
      packetCount: 1,
      rateFps: null,
      keyframeIntervalMs: null,
    });
    expect(read(['#tb 0: 1/90000'])).toMatchObject({ packetCount: 0, bitrateKbps: null });
  });

  it('is not misled by one interval that is longer than the others', () => {
    const at = [0, 1000, 6000, 7000].map((ms) => `0, ${ms * 90}, ${ms * 90}, 3600, 1000, 0x1d3bb101`);
    expect(read(['#tb 0: 1/90000', ...at]).keyframeIntervalMs).toBe(1000);
  });
});
