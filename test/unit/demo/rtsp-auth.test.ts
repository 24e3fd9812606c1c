import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Authenticator, parseParameters, type StreamAuth } from '../../../src/demo/rtsp/auth.js';

const URI = 'rtsp://127.0.0.1:8554/cam';
const DIGEST: StreamAuth = { username: 'us"er', password: 'p@ss:w/rd %&#"ü', scheme: 'digest' };

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

function request(authorization: string | undefined, method = 'DESCRIBE', uri = URI) {
  const headers = new Map(authorization === undefined ? [] : [['authorization', authorization] as const]);
  return { method, uri, headers };
}

/** What a client answers, written after RFC 2069, 2.1.2 and RFC 2617, 3.2.2, apart from the code under test. */
function answer(
  challenge: string,
  options: { username?: string; password?: string; method?: string; uri?: string; isOld?: boolean } = {},
): string {
  const { username = DIGEST.username, password = DIGEST.password, method = 'DESCRIBE', uri = URI } = options;
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1];
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1];
  const [ha1, ha2] = [md5(`${username}:${realm}:${password}`), md5(`${method}:${uri}`)];
  const isOld = options.isOld ?? !challenge.includes('qop=');
  const response = isOld ? md5(`${ha1}:${nonce}:${ha2}`) : md5(`${ha1}:${nonce}:00000001:abc:auth:${ha2}`);
  const quoted = username.replace(/["\\]/g, '\\$&');
  const extra = isOld ? '' : ', qop=auth, nc=00000001, cnonce="abc"';
  return `Digest username="${quoted}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"${extra}`;
}

describe('digest', () => {
  it.each([false, true])('lets the right password in (qop: %s)', (qop) => {
    const authenticator = new Authenticator();
    const auth = { ...DIGEST, qop };
    const challenge = authenticator.challenge(auth);
    expect(challenge.includes('qop="auth"')).toBe(qop);
    expect(authenticator.verify(auth, request(answer(challenge)))).toBe('ok');
    expect(authenticator.verify(auth, request(answer(challenge, { uri: '/cam' })))).toBe('ok');
    expect(authenticator.verify(auth, request(undefined))).toBe('missing');
    for (const wrong of [
      answer(challenge, { password: `${DIGEST.password} ` }),
      answer(challenge, { username: 'other' }),
      answer(challenge, { method: 'PLAY' }),
      answer(challenge, { uri: 'rtsp://127.0.0.1:8554/other' }),
      answer(challenge).replace(/nonce="./, 'nonce="x'),
      answer(challenge).replace(/response="[^"]*"/, 'response=""'),
      `Basic ${Buffer.from(`${DIGEST.username}:${DIGEST.password}`).toString('base64')}`,
      'Digest',
    ]) {
      expect(authenticator.verify(auth, request(wrong))).toBe('wrong');
    }
  });

  it('takes the older form only where qop was not asked for', () => {
    const authenticator = new Authenticator();
    const auth = { ...DIGEST, qop: true };
    const old = answer(authenticator.challenge(auth), { isOld: true });
    expect(authenticator.verify(auth, request(old))).toBe('wrong');
    expect(authenticator.verify(DIGEST, request(old))).toBe('ok');
  });

  it('says that a nonce is too old only to who knows the password', () => {
    let nowMs = 1000.5;
    const authenticator = new Authenticator({ nowMs: () => nowMs });
    const challenge = authenticator.challenge(DIGEST);
    nowMs += 2 * 3_600_000;
    expect(authenticator.verify(DIGEST, request(answer(challenge)))).toBe('stale');
    expect(authenticator.verify(DIGEST, request(answer(challenge, { password: 'x' })))).toBe('wrong');
    expect(authenticator.challenge(DIGEST, { isStale: true })).toContain('stale=TRUE');
  });

  it('takes no nonce of another server', () => {
    const foreign = new Authenticator().challenge(DIGEST);
    expect(new Authenticator().verify(DIGEST, request(answer(foreign)))).toBe('wrong');
  });
});

describe('basic', () => {
  it('compares user and password as UTF-8', () => {
    const authenticator = new Authenticator();
    const auth: StreamAuth = { ...DIGEST, scheme: 'basic' };
    const encode = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(authenticator.challenge(auth)).toMatch(/^Basic realm=/);
    expect(authenticator.verify(auth, request(encode(`${auth.username}:${auth.password}`)))).toBe('ok');
    expect(authenticator.verify(auth, request(encode(`${auth.username}:`)))).toBe('wrong');
  });
});

describe('parseParameters', () => {
  it('reads quoted text with escapes, commas and equals signs, and tokens', () => {
    const fields = parseParameters('User="a\\"b,c=d", nc=00000001 ,qop = auth');
    expect(Object.fromEntries(fields)).toEqual({ user: 'a"b,c=d', nc: '00000001', qop: 'auth' });
  });
});
