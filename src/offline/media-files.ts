import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { AppError } from '../lib/errors.js';

export interface MediaFile {
  readonly path: string;
  readonly kind: 'picture' | 'video';
}

const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff']);
const VIDEOS = new Set([
  '.mp4',
  '.m4v',
  '.mov',
  '.mkv',
  '.webm',
  '.avi',
  '.ts',
  '.gif',
  '.mjpeg',
  '.h264',
  '.h265',
]);

/**
 * The pictures and videos that the arguments name. A folder stands for the media in it and below it, by name;
 * a file that is named itself is always tried, whatever it is called. Throws `AppError` FILE_NOT_FOUND.
 */
export async function listMedia(paths: readonly string[]): Promise<MediaFile[]> {
  const found: MediaFile[] = [];
  for (const path of paths) {
    const info = await stat(path).catch((cause: unknown) => {
      throw new AppError('FILE_NOT_FOUND', `there is no file or folder ${path}`, {
        cause,
        path,
        exitCode: 2,
      });
    });
    if (info.isDirectory()) found.push(...(await listFolder(path)));
    else found.push({ path, kind: kindOf(path) ?? 'video' });
  }
  return found;
}

async function listFolder(folder: string): Promise<MediaFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((path) => {
      const kind = kindOf(path);
      return kind === null ? [] : [{ path, kind }];
    });
}

function kindOf(path: string): MediaFile['kind'] | null {
  const extension = extname(path).toLowerCase();
  if (PICTURES.has(extension)) return 'picture';
  return VIDEOS.has(extension) ? 'video' : null;
}
