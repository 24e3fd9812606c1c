import { describe, expect, it } from 'vitest';
import { TokenAuthority } from '../../../src/http/auth.js';
import { assertBindAllowed, OriginPolicy } from '../../../src/http/origin.js';
import { problemOf } from '../../../src/http/problem.js';
import { AppError } from '../../../src/lib/errors.js';
import { isLoopbackHost } from '../../../src/lib/loopback.js';

const SECRET = 'a secret of thirty-two characters, or more';

describe('tokens', () => {
  it('come back as they were granted', async () => {
    const authority = new TokenAuthority(SECRET);
    const token = await authority.issue({ subject: 'ann', cameras: ['gate'], expiresInSeconds: 60 });
    const principal = await authority.verify(token);
    expect(principal).toMatchObject({ subject: 'ann', cameras: ['gate'] });
    expect(principal.expiresAtMs).toBeGreaterThan(Date.now());
    const lasting = await authority.issue({ subject: 'wall', cameras: 'all' });
    expect(await authority.verify(lasting)).toEqual({ subject: 'wall', cameras: 'all', expiresAtMs: null });
  });

  it('are not accepted when changed', async () => {
    const authority = new TokenAuthority(SECRET);
    const [head, , signature] = (await authority.issue({ subject: 'ann', cameras: ['gate'] })).split('.');
    const claims = Buffer.from('{"sub":"ann","cameras":"all","iss":"maskwatch"}').toString('base64url');
    await expect(authority.verify(`${head}.${claims}.${signature}`)).rejects.toMatchObject({
      code: 'AUTH_INVALID',
    });
  });

  it('need a secret that cannot be guessed', () => {
    expect(() => new TokenAuthority('short')).toThrow(
      expect.objectContaining({ code: 'CONFIG_WEAK_SECRET', exitCode: 2 }),
    );
  });
});

describe('loopback', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
    'localhost',
    'a.localhost',
    'LOCALHOST',
    '::ffff:127.0.0.1',
  ])('%s is', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
    expect(() => assertBindAllowed(host, false)).not.toThrow();
  });
  it.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', '127.evil', 'localhost.evil.example', ''])(
    '"%s" is not',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
      expect(() => assertBindAllowed(host, false)).toThrow(
        expect.objectContaining({ code: 'CONFIG_UNSAFE_BIND' }),
      );
      expect(() => assertBindAllowed(host, true)).not.toThrow();
    },
  );
});

describe('origins', () => {
  const allows = (policy: OriginPolicy, host: string | undefined, origin?: string) =>
    policy.allows({ headers: { host, origin } });

  it('admits its own pages, those that were named, and programs', () => {
    const policy = new OriginPolicy({ corsOrigins: ['https://control.example/'], hasAuth: false });
    expect(allows(policy, 'localhost:8080', 'http://localhost:8080')).toBe(true);
    expect(allows(policy, 'localhost:8080', 'http://localhost:9999')).toBe(false);
    expect(allows(policy, 'localhost:8080', 'https://control.example')).toBe(true);
    expect(allows(policy, 'localhost:8080', 'https://control.example.evil.example')).toBe(false);
    expect(allows(policy, 'localhost:8080', 'null')).toBe(false);
    expect(allows(policy, 'localhost:8080')).toBe(true);
    // A proxy that keeps the name under which it was asked.
    expect(allows(policy, 'control.example', 'https://control.example')).toBe(true);
  });

  it('does not take a foreign name for itself, unless tokens are needed anyhow', () => {
    const options = { corsOrigins: [] };
    const open = new OriginPolicy({ ...options, hasAuth: false });
    const closed = new OriginPolicy({ ...options, hasAuth: true });
    expect(allows(open, 'evil.example:8080', 'http://evil.example:8080')).toBe(false);
    expect(allows(closed, 'cameras.example', 'https://cameras.example')).toBe(true);
    expect(allows(closed, 'cameras.example', 'https://evil.example')).toBe(false);
  });
});

describe('problem details', () => {
  it('say nothing of what we did not foresee', () => {
    expect(problemOf(new Error('ENOENT /etc/passwd'))).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'the request failed; see the service’s log',
      code: 'INTERNAL_ERROR',
    });
    expect(problemOf(new AppError('AUTH_EXPIRED', 'the token has expired'))).toMatchObject({ status: 401 });
  });
});
