import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { closest } from 'fastest-levenshtein';

export const CAMERA_SCHEMES = ['rtsp', 'rtsps', 'http', 'https', 'file', 'device'] as const;

const isPlain = (scheme: string) => scheme === 'file' || scheme === 'device';

/** What is wrong with a camera's address, in words without its credentials; `undefined` when nothing is. */
export function checkCameraUrl(url: string): { message: string; hint?: string } | undefined {
  const schemes = CAMERA_SCHEMES.map((scheme) => (isPlain(scheme) ? `${scheme}:` : `${scheme}://`)).join(
    ', ',
  );
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || /^[^:/]+:\d+(\/|$)/.test(url))
    return { message: `begins with no scheme; use one of ${schemes}`, hint: 'a file is given as file:PATH' };
  if (!(CAMERA_SCHEMES as readonly string[]).includes(scheme))
    return {
      message: `${scheme}: is not supported; use one of ${schemes}`,
      hint: `did you mean ${closest(scheme, [...CAMERA_SCHEMES])}?`,
    };
  if (scheme === 'file') {
    return url.replace(/^file:(\/\/)?/i, '') === '' ? { message: 'names no file' } : undefined;
  }
  if (scheme === 'device')
    return url.length > 'device:'.length
      ? undefined
      : { message: 'names no device', hint: 'e.g. device:/dev/video0' };
  // Not by URL: a password with "@", "/" or "#" in it must be found here too, and gets through no parser.
  const authority = url.slice(scheme.length + 1).replace(/^\/*/, '');
  if (/^[^/?#]*@/.test(authority) || /^[^/?#:@[\]]+:(?!\d+(?:[/?#]|$)).*@/.test(authority))
    return {
      message: 'has a user or password in it',
      hint: 'move them to the keys username and password (any characters, as they are)',
    };
  if (!url.slice(scheme.length + 1).startsWith('//') || !URL.canParse(url) || new URL(url).hostname === '')
    return { message: `is not a complete address; it looks like ${scheme}://HOST/PATH` };
  return undefined;
}

/**
 * `file:clips/a.mp4` or `file:///srv/a.mp4` as an absolute path, relative ones from `baseDir`. With `//` it is a
 * URL with percent escapes, without it a path as it stands.
 */
export function filePathOf(url: string, baseDir: string): string {
  if (/^file:\/\/\//i.test(url)) return fileURLToPath(url);
  return resolve(baseDir, url.replace(/^file:(\/\/)?/i, ''));
}

/** A `file:` address as a full URL (`file:///…`, escapes where needed), others as they are. */
export function absoluteCameraUrl(url: string, baseDir: string): string {
  return /^file:/i.test(url) ? pathToFileURL(filePathOf(url, baseDir)).href : url;
}

/** Whether the file of a `file:` address is there. */
export function isMissingFile(url: string, baseDir: string): boolean {
  return /^file:/i.test(url) && !existsSync(filePathOf(url, baseDir));
}
