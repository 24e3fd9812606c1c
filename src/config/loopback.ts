import { isIP } from 'node:net';
import { AppError } from '../lib/errors.js';

/** Whether only this machine can reach what listens on `host` (127.0.0.0/8, ::1 or localhost). */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (plain === 'localhost' || plain === '::1' || plain === '0:0:0:0:0:0:0:1') return true;
  const v4 = plain.replace(/^::ffff:/, '');
  return isIP(v4) === 4 && v4.startsWith('127.');
}

/**
 * Throws `AppError` SERVER_AUTH_REQUIRED (exit code 2) when others could reach `host` and no authentication is
 * configured. To be called with what is really listened on: `--host` may differ from the file.
 */
export function assertMayListen(host: string, hasAuth: boolean): void {
  if (hasAuth || isLoopback(host)) return;
  throw new AppError(
    'SERVER_AUTH_REQUIRED',
    `listening on ${host} without authentication would show the cameras to everybody in the network`,
    { path: 'server.auth', hint: 'set server.auth.secret, or listen on 127.0.0.1', exitCode: 2 },
  );
}
