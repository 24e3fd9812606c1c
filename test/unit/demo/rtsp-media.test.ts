import { describe, expect, it } from 'vitest';
import {
  type AccessUnit,
  AccessUnitAssembler,
  PictureCache,
  RtpTimeline,
} from '../../../src/demo/rtsp/access-unit.js';
import type { PacketSink } from '../../../src/demo/rtsp/packet-sink.js';
import {
  copyPacketAs,
  makeSenderReport,
  readNalTypes,
  readSenderReport,
} from '../../../src/demo/rtsp/rtp.js';
import { RtspSession } from '../../../src/demo/rtsp/session.js';
import { readMediaDescription, readParameterSets } from '../../../src/demo/rtsp/session-description.js';

function packet(timestamp: number, nal: readonly number[], options: { isLast?: boolean } = {}): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8((options.isLast ? 0x80 : 0) | 96, 1);
  header.writeUInt32BE(timestamp, 4);
  return Buffer.concat([header, Buffer.from(nal)]);
}

function unit(timestamp: number, options: { isKeyframe?: boolean; sizeBytes?: number } = {}): AccessUnit {
  const packets = [
    packet(
      timestamp,
      Array.from({ length: (options.sizeBytes ?? 100) - 12 }, () => 1),
    ),
  ];
  return { packets, timestamp, isKeyframe: options.isKeyframe ?? false, sizeBytes: options.sizeBytes ?? 100 };
}

describe('readNalTypes', () => {
  it.each([
    ['h264', 'a single unit', [0x65, 1, 2], [5]],
    ['h264', 'an aggregate of SPS and PPS', [0x78, 0, 2, 0x67, 1, 0, 1, 0x68], [7, 8]],
    ['h264', 'a fragment', [0x7c, 0x85, 1], [5]],
    ['h265', 'a single unit', [0x26, 0x01, 9], [19]],
    ['h265', 'an aggregate of VPS and SPS', [0x60, 0x01, 0, 2, 0x40, 1, 0, 2, 0x42, 1], [32, 33]],
    ['h265', 'a fragment', [0x62, 0x01, 0x93, 1], [19]],
    ['h264', 'nothing', [], []],
  ] as const)('%s: %s', (codec, _name, nal, types) => {
    expect(readNalTypes(packet(0, nal), codec)).toEqual(types);
  });
});

describe('AccessUnitAssembler', () => {
  function assemble(packets: readonly Buffer[], parameterSets: readonly Buffer[] = []): AccessUnit[] {
    const units: AccessUnit[] = [];
    const assembler = new AccessUnitAssembler('h264', (each) => units.push(each));
    assembler.useParameterSets(parameterSets);
    for (const each of packets) assembler.push(each);
    return units;
  }

  it('ends a picture at the marker or at the next time stamp', () => {
    const units = assemble([
      packet(1, [0x41, 1]),
      packet(1, [0x41, 2], { isLast: true }),
      packet(2, [0x41, 3]),
      packet(3, [0x41, 4], { isLast: true }),
      Buffer.from('no RTP'),
    ]);
    expect(units.map(({ timestamp, packets }) => [timestamp, packets.length])).toEqual([
      [1, 2],
      [2, 1],
      [3, 1],
    ]);
  });

  it('puts parameter sets before a keyframe that lacks them, without a marker, and before no other', () => {
    const sets = [Buffer.from([0x67, 1]), Buffer.from([0x68, 2])];
    const [bare, complete, other] = assemble(
      [
        packet(1, [0x65, 1], { isLast: true }),
        packet(2, [0x67, 9]),
        packet(2, [0x65, 1], { isLast: true }),
        packet(3, [0x41, 1], { isLast: true }),
      ],
      sets,
    );
    expect(bare?.packets.map((each) => each.subarray(12))).toEqual([...sets, Buffer.from([0x65, 1])]);
    expect(bare?.packets.map((each) => each.readUInt8(1) >> 7)).toEqual([0, 0, 1]);
    expect(bare?.packets.every((each) => each.readUInt32BE(4) === 1)).toBe(true);
    expect(bare?.sizeBytes).toBe(3 * 14);
    expect([bare, complete, other].map((each) => [each?.isKeyframe, each?.packets.length])).toEqual([
      [true, 3],
      [true, 2],
      [false, 1],
    ]);
  });
});

describe('RtpTimeline', () => {
  it('continues over a new run by the time that passed, also where the stamp wraps', () => {
    const timeline = new RtpTimeline();
    timeline.beginRun();
    expect(timeline.translate(5)).toBeNull();
    expect(timeline.place(0xffff_ff00, 1000)).toBe(0xffff_ff00);
    timeline.beginRun();
    expect(timeline.translate(777)).toBeNull();
    // 40 ms later at 90 kHz.
    expect(timeline.place(777, 1040)).toBe(3600 - 0x100);
    expect(timeline.place(777 + 3600, 1080)).toBe(7200 - 0x100);
    expect(timeline.translate(777)).toBe(3600 - 0x100);
  });
});

describe('PictureCache', () => {
  it('holds the pictures since the last keyframe', () => {
    const cache = new PictureCache();
    cache.add(unit(1));
    expect(cache.units(null)).toEqual([]);
    for (const each of [unit(2, { isKeyframe: true }), unit(3), unit(4, { isKeyframe: true }), unit(5)]) {
      cache.add(each);
    }
    expect(cache.units(null).map(({ timestamp }) => timestamp)).toEqual([4, 5]);
    expect(cache.units(4).map(({ timestamp }) => timestamp)).toEqual([5]);
  });

  it('forgets a group that outgrows it, and takes the next', () => {
    const cache = new PictureCache({ maxBytes: 250 });
    for (const each of [unit(1, { isKeyframe: true }), unit(2), unit(3), unit(4)]) cache.add(each);
    expect(cache.units(null)).toEqual([]);
    expect(cache.sizeBytes).toBe(0);
    cache.add(unit(5, { isKeyframe: true }));
    expect(cache.units(null)).toHaveLength(1);
  });
});

describe('sender reports', () => {
  it('are read as they are written', () => {
    const clock = { ntpSeconds: 3_900_000_000, ntpFraction: 1 << 30, rtpTimestamp: 0xffff_0000 };
    const report = makeSenderReport(clock, {
      ssrc: 0xdead_beef,
      packetCount: 7,
      octetCount: 9,
      cname: 'camera',
    });
    expect(readSenderReport(report)).toEqual(clock);
    expect(report.length % 4).toBe(0);
    // Both packets of the compound fill it exactly (length in words, minus one).
    const firstBytes = (report.readUInt16BE(2) + 1) * 4;
    expect(firstBytes + (report.readUInt16BE(firstBytes + 2) + 1) * 4).toBe(report.length);
    expect(readSenderReport(Buffer.alloc(10))).toBeNull();
  });
});

describe('copyPacketAs', () => {
  it('changes identity alone', () => {
    const source = packet(1, [0x41, 5], { isLast: true });
    const target = Buffer.alloc(source.length + 3);
    copyPacketAs(source, target, 3, { sequence: 0x1_0002, timestamp: 9, ssrc: 8 });
    const copy = target.subarray(3);
    expect([copy.readUInt16BE(2), copy.readUInt32BE(4), copy.readUInt32BE(8)]).toEqual([2, 9, 8]);
    expect(copy.readUInt8(1)).toBe(0x80 | 96);
    expect(source.readUInt32BE(4)).toBe(1);
  });
});

describe('the packetiser’s SDP', () => {
  it('gives format and parameter sets of its video', () => {
    const sdp =
      'v=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 X/1\r\nm=video 0 RTP/AVP 96\r\nb=AS:64\r\n' +
      'a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0I=,aM4=; profile-level-id=42C01E\r\n';
    const media = readMediaDescription(sdp);
    expect(media).toMatchObject({ payloadType: 96, encoding: 'H264/90000' });
    if (!media) throw new Error('no media');
    expect(readParameterSets(media)).toEqual([Buffer.from([0x67, 0x42]), Buffer.from([0x68, 0xce])]);
    expect(readMediaDescription('v=0\r\nm=audio 0 RTP/AVP 97\r\n')).toBeNull();
  });
});

describe('RtspSession', () => {
  /** A client that takes nothing until `drain`. */
  class SlowSink implements PacketSink {
    queuedBytes = 0;
    sentBytes = 0;
    readonly written: { timestamp: number; firstSequence: number }[] = [];
    isClosed = false;

    writeUnit(each: AccessUnit, identity: { firstSequence: number }): void {
      this.queuedBytes += each.sizeBytes;
      this.written.push({ timestamp: each.timestamp, firstSequence: identity.firstSequence });
    }
    writeControl(): void {}
    drain(): void {
      this.sentBytes += this.queuedBytes;
      this.queuedBytes = 0;
    }
    close(): void {
      this.isClosed = true;
    }
  }

  function open(cached: readonly AccessUnit[] = []) {
    const cache = new PictureCache();
    for (const each of cached) cache.add(each);
    const sink = new SlowSink();
    let nowMs = 0;
    const stream = {
      path: '/cam',
      cache,
      isFrozen: false,
      lastReport: null,
      subscribe: (session: { catchUp(): void }) => session.catchUp(),
      unsubscribe: () => undefined,
    };
    const session = new RtspSession(
      stream,
      'tcp',
      sink,
      () => undefined,
      () => nowMs,
    );
    const wait = (byMs: number) => {
      nowMs += byMs;
    };
    return { session, sink, cache, wait };
  }

  it('drops whole pictures of a slow client up to the next keyframe, counts them and leaves a gap', () => {
    const MB = 1024 * 1024;
    const { session, sink } = open();
    session.play();
    session.deliver(unit(1, { isKeyframe: true, sizeBytes: 3 * MB }));
    session.deliver(unit(2, { sizeBytes: 2 * MB }));
    sink.drain();
    // It would fit again, but cannot be decoded without the one that was dropped.
    session.deliver(unit(3));
    session.deliver(unit(4, { isKeyframe: true }));
    expect(sink.written.map(({ timestamp }) => timestamp)).toEqual([1, 4]);
    const [first, second] = sink.written;
    expect(((second?.firstSequence ?? 0) - (first?.firstSequence ?? 0)) & 0xffff).toBe(3);
    expect(session.stats()).toMatchObject({ sentPackets: 2, droppedPackets: 2 });
  });

  it('begins with the cached group and, after a pause, sends nothing twice', () => {
    const { session, sink, cache } = open([unit(10, { isKeyframe: true }), unit(11)]);
    expect(session.nextPacket().timestamp).toBe(10);
    session.play();
    session.pause();
    cache.add(unit(12));
    expect(session.nextPacket().timestamp).toBe(12);
    session.play();
    expect(sink.written.map(({ timestamp }) => timestamp)).toEqual([10, 11, 12]);
  });

  it('gives up a TCP client only while its queue stands still', () => {
    const { session, sink, wait } = open();
    session.play();
    wait(100_000);
    expect(session.isExpired(60_000)).toBe(false);
    session.deliver(unit(1, { isKeyframe: true }));
    wait(59_000);
    expect(session.isExpired(60_000)).toBe(false);
    wait(2_000);
    expect(session.isExpired(60_000)).toBe(true);
    sink.drain();
    expect(session.isExpired(60_000)).toBe(false);
    session.close();
    session.close();
    expect(sink.isClosed).toBe(true);
    expect(session.state).toBe('closed');
  });
});
