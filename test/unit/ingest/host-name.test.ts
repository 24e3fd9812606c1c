import { describe, expect, it } from 'vitest';
import { type HostLookup, resolveHostName } from '../../../src/ingest/host-name.js';

const never = new AbortController().signal;
const both: HostLookup = async () => [
  { address: 'fd00::1', family: 6 },
  { address: '10.0.0.7', family: 4 },
];

describe('resolveHostName', () => {
  it.each([
    ['rtsp://cam.lan/a', 'rtsp://10.0.0.7/a'],
    ['rtsp://cam.lan:8554/a:b?x=cam.lan', 'rtsp://10.0.0.7:8554/a:b?x=cam.lan'],
    ['http://cam.lan', 'http://10.0.0.7'],
    ['http://cam.lan?x', 'http://10.0.0.7?x'],
  ])('%s → %s', async (url, numeric) => {
    expect(await resolveHostName(url, never, both)).toEqual({ ok: true, url: numeric, hostName: 'cam.lan' });
  });

  it('leaves numeric addresses alone and does not look them up', async () => {
    const fail: HostLookup = () => Promise.reject(new Error('asked'));
    for (const url of ['rtsp://10.0.0.1:554/a', 'rtsp://[fd00::1]:554/a'])
      expect(await resolveHostName(url, never, fail)).toEqual({ ok: true, url, hostName: null });
  });

  it('writes IPv6 in brackets where there is nothing else', async () => {
    const only: HostLookup = async () => [{ address: 'fd00::1', family: 6 }];
    expect(await resolveHostName('rtsp://cam.lan:554/a', never, only)).toMatchObject({
      url: 'rtsp://[fd00::1]:554/a',
    });
  });

  it('says which name has no address', async () => {
    const missing: HostLookup = () =>
      Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    expect(await resolveHostName('rtsp://cam.lan/a', never, missing)).toEqual({
      ok: false,
      message: 'The host name cam.lan cannot be resolved (ENOTFOUND)',
    });
    expect(await resolveHostName('rtsp://cam.lan/a', never, async () => [])).toMatchObject({ ok: false });
  });

  it('does not wait for a name server when it is aborted', async () => {
    const abort = new AbortController();
    const result = resolveHostName('rtsp://cam.lan/a', abort.signal, () => new Promise(() => {}));
    abort.abort();
    expect(await result).toMatchObject({ ok: false });
  });
});
