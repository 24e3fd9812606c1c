import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Principal } from '../domain/principal.js';
import { AppError } from '../lib/errors.js';

const ISSUER = 'maskwatch';
/** RFC 7518, 3.2: a key for HS256 has at least 256 bits. */
const MIN_SECRET_BYTES = 32;

const claimsSchema = z.object({
  sub: z.string().min(1).max(120),
  cameras: z.union([z.literal('all'), z.array(z.string().min(1).max(64)).max(1024)]),
  exp: z.number().optional(),
});

/**
 * Makes and verifies the tokens of clients: JSON Web Tokens signed by HS256 (RFC 7519, 7518) with claims `sub`
 * (who; it stands beside verdicts), `cameras` (`"all"` or a list of ids), `iss` = `maskwatch`, and `exp`.
 */
export class TokenAuthority {
  readonly #key: Uint8Array;

  /** `secret`: 32 bytes or more of UTF-8. Throws `AppError` CONFIG_WEAK_SECRET. */
  constructor(secret: string) {
    this.#key = new TextEncoder().encode(secret);
    if (this.#key.byteLength < MIN_SECRET_BYTES) {
      throw new AppError(
        'CONFIG_WEAK_SECRET',
        `server.auth.secret is too short: ${MIN_SECRET_BYTES} characters at least`,
        {
          path: 'server.auth.secret',
          hint: 'Make one with: openssl rand -base64 48',
          exitCode: 2,
        },
      );
    }
  }

  /** `expiresInSeconds` undefined: a token that never expires. */
  issue(grant: {
    subject: string;
    cameras: 'all' | readonly string[];
    expiresInSeconds?: number | undefined;
  }): Promise<string> {
    const token = new SignJWT({ cameras: grant.cameras })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(grant.subject)
      .setIssuedAt();
    if (grant.expiresInSeconds !== undefined)
      token.setExpirationTime(Math.floor(Date.now() / 1000) + grant.expiresInSeconds);
    return token.sign(this.#key);
  }

  /** Throws `AppError` AUTH_REQUIRED (none given), AUTH_EXPIRED, or AUTH_INVALID (anything else). */
  async verify(token: unknown): Promise<Principal> {
    if (typeof token !== 'string' || token === '')
      throw new AppError('AUTH_REQUIRED', 'a token is needed', { hint: 'Make one with: maskwatch token' });
    try {
      const { payload } = await jwtVerify(token, this.#key, { algorithms: ['HS256'], issuer: ISSUER });
      const claims = claimsSchema.parse(payload);
      return {
        subject: claims.sub,
        cameras: claims.cameras,
        expiresAtMs: claims.exp === undefined ? null : claims.exp * 1000,
      };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new AppError('AUTH_EXPIRED', 'the token has expired');
      throw new AppError('AUTH_INVALID', 'the token is not valid', { cause: error });
    }
  }
}
