import { describe, expect, it } from 'vitest';
import { Base64Decoder, readHttpHead } from '../../../src/demo/rtsp/http-tunnel.js';

describe('readHttpHead', () => {
  it.each(['', 'G', 'GET', 'GET ', 'POS', 'GET /cam HTTP/1.0\r\nHost: x\r\n'])(
    'waits for more after %j',
    (text) => {
      expect(readHttpHead(Buffer.from(text))).toBeNull();
    },
  );

  it.each([
    'GET_PARAMETER rtsp://x/cam RTSP/1.0\r\n\r\n',
    'OPTIONS * RTSP/1.0\r\n',
    'PAUSE',
    '$\0\0\0',
    'GET /cam RTSP/1.0\r\n\r\n',
    `GET /${'x'.repeat(17_000)}`,
  ])('is no HTTP: %.20j', (text) => {
    expect(readHttpHead(Buffer.from(text))).toBe('not_http');
  });

  it('reads method and headers, and where the body begins', () => {
    const head = 'POST /cam HTTP/1.1\r\nX-SessionCookie:  a:b \r\nExpect: 100-continue\r\n\r\n';
    expect(readHttpHead(Buffer.from(`${head}T1BU`))).toEqual({
      method: 'POST',
      headers: new Map([
        ['x-sessioncookie', 'a:b'],
        ['expect', '100-continue'],
      ]),
      sizeBytes: head.length,
    });
  });
});

describe('Base64Decoder', () => {
  const bytes = (text: string) => Buffer.from(text);

  it('decodes messages that were padded one by one, in pieces of any size', () => {
    const messages = ['a', 'bc', 'def', 'ghij'];
    const text = messages.map((message) => bytes(message).toString('base64')).join('');
    for (let size = 1; size <= text.length; size += 1) {
      const decoder = new Base64Decoder();
      let decoded = '';
      for (let at = 0; at < text.length; at += size)
        decoded += decoder.push(bytes(text.slice(at, at + size)));
      expect(decoded).toBe('abcdefghij');
    }
  });

  it('ignores line ends, and refuses what is no base64', () => {
    expect(new Base64Decoder().push(bytes('YW\r\nJj\n'))).toEqual(bytes('abc'));
    for (const text of ['OPTIONS *', '$$$$', 'a===', '=abc', 'ab=c'])
      expect(new Base64Decoder().push(bytes(text))).toBeNull();
  });
});
