import { describe, expect, it } from 'vitest';
import { encodeUserInfo, redactSecrets, splitUrl } from '../../../src/ingest/redact.js';

describe('splitUrl', () => {
  it.each([
    ['rtsp://host/cam', 'rtsp://host/cam', undefined, undefined],
    ['rtsp://user@host/cam', 'rtsp://host/cam', 'user', undefined],
    ['rtsp://user:pass@host:554/cam', 'rtsp://host:554/cam', 'user', 'pass'],
    ['rtsp://user:p@ss:word@host/cam', 'rtsp://host/cam', 'user', 'p@ss:word'],
    ['rtsp://u%20s:p%40%2Fx@host/cam', 'rtsp://host/cam', 'u s', 'p@/x'],
    ['rtsp://user:100%@host/cam', 'rtsp://host/cam', 'user', '100%'],
    ['rtsp://host/cam@1', 'rtsp://host/cam@1', undefined, undefined],
    ['file:/a@b.mp4', 'file:/a@b.mp4', undefined, undefined],
  ])('%s', (url, bare, username, password) => {
    expect(splitUrl(url)).toEqual({ url: bare, username, password });
  });
});

describe('encodeUserInfo', () => {
  it('leaves only unreserved characters and is undone by decoding', () => {
    const everything = ` !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~aZ09ü€😀`;
    const encoded = encodeUserInfo(everything);
    expect(encoded).toMatch(/^[A-Za-z0-9\-._~%]+$/);
    expect(decodeURIComponent(encoded)).toBe(everything);
  });
});

describe('redactSecrets', () => {
  const password = `p@ss/w:%?#"x'`;

  it('removes the user info of any address, known or not', () => {
    expect(redactSecrets("Input #0, rtsp, from 'rtsp://user:secret@10.0.0.1/cam':")).toBe(
      "Input #0, rtsp, from 'rtsp://***@10.0.0.1/cam':",
    );
    expect(redactSecrets('rtsp://a:b@c@h/ then http://x:y@z/')).toBe('rtsp://***@h/ then http://***@z/');
  });

  it('removes all of a password that was pasted as it is', () => {
    expect(redactSecrets("unknown command 'rtsp://user:geh@im/x#y@10.0.0.1:554/cam'")).toBe(
      "unknown command 'rtsp://***@10.0.0.1:554/cam'",
    );
  });

  it.each([
    ['rtsp://h/user=admin&password=geheim&channel=1', 'rtsp://h/user=admin&password=***&channel=1'],
    ['rtsp://h:554/user=admin_password=geheim_channel=1.sdp', 'rtsp://h:554/user=admin_password=***'],
    ['rtsp://h/usr=u&pw=geheim&channel=1', 'rtsp://h/usr=***&pw=***&channel=1'],
    ['rtsp://h/live/access-token=geheim/ch1', 'rtsp://h/live/access-token=***/ch1'],
    ['http://h/video.cgi?user=u&PWD=geheim', 'http://h/video.cgi?user=***&PWD=***'],
    ['https://h/@scope/name?channel=1', 'https://h/@scope/name?channel=1'],
    ['GET /video.cgi?loginuse=u&loginpas=geheim failed', 'GET /video.cgi?loginuse=***&loginpas=*** failed'],
    ['rtsp://h:554/cam@1', 'rtsp://h:554/cam@1'],
  ])('removes a password from path and query, and nothing else: %s', (text, bare) => {
    expect(redactSecrets(text)).toBe(bare);
  });

  it.each(['loginpas', 'token', 'auth', 'key', 'secret', 'pw', 'psw', 'usr', 'p%77d', 'never-heard-of'])(
    'removes from a query what is not known to be harmless: %s',
    (name) => {
      expect(redactSecrets(`'http://h:80/v?${name}=geheim&channel=1': Server returned 404 Not Found`)).toBe(
        `'http://h:80/v?${name}=***&channel=1': Server returned 404 Not Found`,
      );
    },
  );

  it.each([
    'rtsp://h/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif',
    'rtsp://h/axis-media/media.amp?videocodec=h264&resolution=640x480&fps=5&camera=2',
    'rtsp://h/11?stream=0.sdp&real_stream: is the port right?',
    'http://h/mjpg?profile=Profile_1&width=640&height=360, twice',
  ])('leaves a harmless query alone: %s', (text) => {
    expect(redactSecrets(text)).toBe(text);
  });

  it.each([
    ['http://h/v?pwd=geh&eim', 'http://h/v?pwd=***&***'],
    ["http://h/v?pwd=ge#h/e;i'm?x", 'http://h/v?pwd=***'],
    ['http://h/v?channel=1;pwd=geheim', 'http://h/v?channel=***'],
    ['http://h/v?geheim', 'http://h/v?***'],
    ['http://h/v?token=Z2Vo/ZWlt+A==: timed out', 'http://h/v?token=***: timed out'],
  ])('removes all of a password that was pasted into a query as it is: %s', (text, bare) => {
    expect(redactSecrets(text)).toBe(bare);
  });

  it.each([
    ['plain', password],
    ['percent-encoded', encodeUserInfo(password)],
    ['as encodeURIComponent does', encodeURIComponent(password)],
  ])('removes the password %s', (_how, form) => {
    expect(redactSecrets(`before ${form} after`, [password])).toBe('before *** after');
  });

  it('leaves a text without credentials alone', () => {
    expect(redactSecrets('Connection to tcp://127.0.0.1:1?timeout=0 failed: refused', [undefined, ''])).toBe(
      'Connection to tcp://127.0.0.1:1?timeout=0 failed: refused',
    );
  });
});
