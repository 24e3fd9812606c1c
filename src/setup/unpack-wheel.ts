import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise } from 'yauzl';
import { AppError, messageOf } from '../lib/errors.js';
import type { StoredFile } from './native-store.js';
import type { SetupProgress } from './setup-parts.js';

/** Where a file of a wheel goes, relative to the build's folder; null = not needed. */
export function placeOf(name: string): string | null {
  const library = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/.exec(name)?.[1];
  if (library) return `deps/lib/${library}`;
  // The C interface and what it includes: fourteen files of ten thousand.
  if (/^tensorflow\/include\/(tensorflow\/c|xla\/tsl\/c)\/.*\.h$/.test(name)) return headerPlace(name);
  if (/^tensorflow\/include\/(tensorflow\/core|tsl)\/platform\/ctstring\w*\.h$/.test(name))
    return headerPlace(name);
  if (/^tensorflow\/THIRD_PARTY_NOTICES\.txt$/.test(name)) return 'licenses/THIRD_PARTY_NOTICES.txt';
  const license = /^([\w.]+)-[^/]*\.dist-info\/(?:licenses\/)?(LICENSE[\w.]*|License\.txt)$/i.exec(name);
  if (license) return `licenses/${license[1]}-${license[2]}`;
  // Libraries of CUDA, and the two that TensorFlow compiles kernels with.
  if (/^nvidia\/\w+\/lib\/[\w.-]+\.so(\.[\d.]+)?$/.test(name)) return `deps/${name}`;
  if (/^nvidia\/cuda_nvcc\/(bin\/ptxas|nvvm\/libdevice\/[\w.]+\.bc)$/.test(name)) return `deps/${name}`;
  return null;
}

function headerPlace(name: string): string {
  return name.replace(/^tensorflow\//, 'deps/');
}

export interface UnpackOptions {
  readonly wheels: readonly string[];
  /** Of the build; exists. */
  readonly folder: string;
  readonly progress: SetupProgress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks what is needed of the wheels and returns it with sizes and hashes. Throws `AppError` SETUP_WHEEL_INVALID
 * when a file is no whole archive.
 */
export async function unpackWheels(options: UnpackOptions): Promise<StoredFile[]> {
  const { wheels, folder, progress, signal } = options;
  const files: StoredFile[] = [];
  for (const [index, wheel] of wheels.entries()) {
    try {
      // Entries that climb out of the folder or are no file names are refused by yauzl.
      const zip = await openPromise(wheel, { autoClose: false });
      try {
        const wanted: { entry: Entry; place: string }[] = [];
        for await (const entry of zip.eachEntry()) {
          const place = placeOf(entry.fileName);
          if (place) wanted.push({ entry, place });
        }
        const totalBytes = wanted.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
        const of = wheels.length > 1 ? ` (${index + 1} of ${wheels.length})` : '';
        progress.begin(`unpacking${of}`, Math.ceil(totalBytes / 1e6), 'MB');
        let doneBytes = 0;
        for (const { entry, place } of wanted) {
          const hash = createHash('sha256');
          const count = new Transform({
            transform(chunk: Buffer, _encoding, done) {
              hash.update(chunk);
              doneBytes += chunk.length;
              progress.update(Math.floor(doneBytes / 1e6));
              done(null, chunk);
            },
          });
          const path = join(folder, place);
          await mkdir(dirname(path), { recursive: true });
          const mode = /\/bin\/|\.so/.test(place) ? 0o755 : 0o644;
          await pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(path, { mode }), {
            signal,
          });
          files.push({ file: place, sizeBytes: entry.uncompressedSize, sha256: hash.digest('hex') });
        }
      } finally {
        progress.end();
        zip.close();
      }
    } catch (cause) {
      signal?.throwIfAborted();
      if ((cause as NodeJS.ErrnoException).code?.startsWith('E')) throw cause;
      throw new AppError('SETUP_WHEEL_INVALID', `${wheel} is no whole wheel: ${messageOf(cause)}`, {
        cause,
        path: wheel,
      });
    }
  }
  return files;
}
