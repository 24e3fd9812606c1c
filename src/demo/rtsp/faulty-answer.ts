import type { Socket } from 'node:net';
import type { Authenticator } from './auth.js';
import type { RtspResponse } from './message.js';
import type { CameraStream } from './stream.js';

/** What a camera's present fault answers in the place of the right answer; `null` where it does not interfere. */
export async function faultyAnswer(
  stream: Pick<CameraStream, 'fault' | 'auth'>,
  socket: Socket,
  authenticator: Authenticator,
): Promise<RtspResponse | null> {
  switch (stream.fault?.kind) {
    case 'not_found':
      return { status: 404 };
    case 'wrong_password': {
      const auth = stream.auth ?? { username: '', password: '', scheme: 'digest' as const };
      const challenge = authenticator.challenge(auth, { isStale: false });
      return { status: 401, headers: { 'WWW-Authenticate': challenge } };
    }
    case 'refuse':
      socket.resetAndDestroy();
      return { status: 503 };
    case 'black_hole':
    case 'half_open':
      // Never: clearing the fault ends the connection.
      return new Promise(() => undefined);
    default:
      return null;
  }
}
