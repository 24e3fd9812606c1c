import type { Authenticator } from './auth.js';
import type { ClientLink } from './client-link.js';
import type { RtspResponse } from './message.js';
import type { CameraStream } from './stream.js';

/**
 * What a camera's present fault answers in the place of the right answer; `null` where it does not interfere. Never
 * resolves where the camera does not answer.
 */
export async function faultyAnswer(
  stream: Pick<CameraStream, 'fault' | 'auth' | 'noteFaultyAnswer'>,
  link: ClientLink,
  authenticator: Authenticator,
): Promise<RtspResponse | null> {
  switch (stream.fault?.kind) {
    case 'not_found':
      stream.noteFaultyAnswer();
      return { status: 404 };
    case 'wrong_password': {
      stream.noteFaultyAnswer();
      const auth = stream.auth ?? { username: '', password: '', scheme: 'digest' as const };
      const challenge = authenticator.challenge(auth, { isStale: false });
      return { status: 401, headers: { 'WWW-Authenticate': challenge } };
    }
    case 'refuse':
      stream.noteFaultyAnswer();
      link.reset();
      return { status: 503 };
    case 'black_hole':
    case 'half_open':
      stream.noteFaultyAnswer();
      // Never: clearing the fault ends the connection.
      return new Promise(() => undefined);
    default:
      return null;
  }
}
