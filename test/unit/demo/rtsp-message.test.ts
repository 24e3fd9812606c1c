import { describe, expect, it } from 'vitest';
import { formatResponse, type RtspInput, RtspParser } from '../../../src/demo/rtsp/message.js';
import { chooseTransport } from '../../../src/demo/rtsp/transport-header.js';

const REQUEST =
  'SET_PARAMETER rtsp://h/a RTSP/1.0\r\nCSeq: 3\r\nContent-length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello';
const PACKET = Buffer.from([0x24, 1, 0, 3, 9, 8, 7]);

function parseInPieces(stream: Buffer, pieceBytes: number): RtspInput[] {
  const parser = new RtspParser();
  const inputs: RtspInput[] = [];
  for (let at = 0; at < stream.length; at += pieceBytes) {
    inputs.push(...parser.push(stream.subarray(at, at + pieceBytes)));
  }
  return inputs;
}

describe('RtspParser', () => {
  const stream = Buffer.concat([
    Buffer.from(REQUEST),
    PACKET,
    Buffer.from('\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n'),
    PACKET,
    Buffer.from(REQUEST),
  ]);

  it.each([1, 2, 7, 64, 10_000])('finds requests between packets in pieces of %i bytes', (pieceBytes) => {
    const inputs = parseInPieces(stream, pieceBytes);
    expect(inputs.map(({ kind }) => kind)).toEqual(['request', 'interleaved', 'interleaved', 'request']);
    const [request, packet] = inputs;
    expect(packet).toEqual({ kind: 'interleaved', channel: 1, payload: Buffer.from([9, 8, 7]) });
    if (request?.kind !== 'request') throw new Error('no request');
    expect(request.request).toMatchObject({
      method: 'SET_PARAMETER',
      uri: 'rtsp://h/a',
      version: 'RTSP/1.0',
    });
    expect(request.request.headers.get('x-a')).toBe('1, 2');
    expect(request.request.body.toString()).toBe('hello');
  });

  it.each([
    ['no request line', 'HELLO\r\n\r\n', undefined],
    ['a header without a colon', 'OPTIONS * RTSP/1.0\r\nCSeq: 4\r\nnonsense\r\n\r\n', '4'],
    ['a negative length', 'OPTIONS * RTSP/1.0\r\nCSeq: 5\r\nContent-Length: -1\r\n\r\n', '5'],
    ['an enormous body', 'OPTIONS * RTSP/1.0\r\nCSeq: 6\r\nContent-Length: 99999999\r\n\r\n', '6'],
    ['a header without end', 'A'.repeat(20_000), undefined],
  ])('gives up after %s', (_name, text, cseq) => {
    const parser = new RtspParser();
    expect(parser.push(Buffer.from(text))).toMatchObject([{ kind: 'malformed', cseq }]);
    expect(parser.push(Buffer.from(REQUEST))).toEqual([]);
  });
});

describe('formatResponse', () => {
  it('counts the body in bytes', () => {
    const text = formatResponse({ status: 200, headers: { Session: 'x' }, body: 'ü' }, '9').toString();
    expect(text).toMatch(/^RTSP\/1\.0 200 OK\r\nCSeq: 9\r\n/);
    expect(text).toContain('\r\nContent-Length: 2\r\n\r\nü');
  });
});

describe('chooseTransport', () => {
  it.each([
    ['RTP/AVP/TCP;unicast;interleaved=2-3', { kind: 'tcp', channels: [2, 3] }],
    ['RTP/AVP/TCP;unicast', { kind: 'tcp', channels: null }],
    ['RTP/AVP;unicast;client_port=5000-5001', { kind: 'udp', clientPorts: [5000, 5001] }],
    ['RTP/AVP/UDP;unicast;client_port=5000;mode="PLAY"', { kind: 'udp', clientPorts: [5000, 5001] }],
    // The first that we can serve, not the first of all.
    ['RTP/AVP;multicast, RTP/AVP/TCP;interleaved=0-1', { kind: 'tcp', channels: [0, 1] }],
  ])('takes %s', (header, expected) => {
    expect(chooseTransport(header)).toEqual(expected);
  });

  it.each([
    '',
    'RTP/AVP;multicast;client_port=5000-5001',
    'RTP/AVP;unicast',
    'RTP/AVP;unicast;client_port=70000-70001',
    'RTP/AVP/TCP;unicast;interleaved=300-301',
    'RTP/AVP/TCP;unicast;interleaved=5-4',
    'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record',
    'RTP/SAVP;unicast;client_port=5000-5001',
  ])('refuses "%s"', (header) => {
    expect(chooseTransport(header)).toBeNull();
  });
});
