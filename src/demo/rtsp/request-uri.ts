import { TRACK_CONTROL } from './session-description.js';

/** The stream's path within an absolute URI, without the track, query and slashes at the end; `null` if it is none. */
export function readPath(uri: string): string | null {
  const match = /^rtsps?:\/\/[^/?]*(\/[^?]*)?/i.exec(uri);
  if (!match) return null;
  try {
    const path = decodeURIComponent(match[1] ?? '/').replace(/\/+$/, '');
    return path.endsWith(`/${TRACK_CONTROL}`) ? path.slice(0, -TRACK_CONTROL.length - 1) : path;
  } catch {
    return null;
  }
}

/** The URI as the client wrote it, without user, query and slashes at the end. */
export function baseUrl(uri: string): string {
  return uri
    .replace(/^(rtsps?:\/\/)[^/@]*@/i, '$1')
    .replace(/\?.*$/, '')
    .replace(/\/+$/, '');
}
