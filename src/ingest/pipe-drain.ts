import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/**
 * Bytes read at once at the most. A chunk is used up before the next one is read, on one thread, so one buffer
 * serves every camera.
 */
const BUFFER = Buffer.alloc(256 * 1024);

/** What we need of the handle under a child's output: not public, hence looked at before it is used. */
interface PipeHandle {
  reading: boolean;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Reads a child's output into one buffer that is used again and again, and hands each chunk to `onChunk`, which
 * must be done with it when it returns. The usual way makes a new buffer of 64 KiB for every chunk: 8 cameras of
 * 640×360 at 5 a second then cost more time in the garbage collector than in everything else on the main thread.
 *
 * Node has this for sockets that one opens oneself (`onread` of `net.Socket`), not for the pipes of children, so
 * the handle is moved to a socket of our own. Returns false, having changed nothing, where that is not possible;
 * the caller then reads the usual way. `source` still emits `close` when all is read, so the child does too.
 */
export function drainWithOneBuffer(source: Readable, onChunk: (chunk: Uint8Array) => void): boolean {
  const owner = source as Readable & { _handle?: unknown };
  const handle = owner._handle;
  if (!(source instanceof Socket) || !isPipeHandle(handle)) return false;
  // Reading began with the child, into buffers of its own; what has arrived goes first.
  handle.readStop();
  handle.reading = false;
  for (let early = source.read() as Buffer | null; early; early = source.read() as Buffer | null)
    onChunk(early);
  owner._handle = null;
  const options = {
    handle,
    writable: false,
    onread: {
      buffer: BUFFER,
      callback: (sizeBytes: number) => {
        onChunk(BUFFER.subarray(0, sizeBytes));
        return true;
      },
    },
  };
  const reader = new Socket(options);
  // The end of a pipe whose writer was killed may be told as an error: it is an end all the same.
  reader.on('error', () => {});
  reader.once('close', () => source.destroy());
  source.once('close', () => reader.destroy());
  return true;
}

function isPipeHandle(handle: unknown): handle is PipeHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function' &&
    'readStop' in handle &&
    typeof handle.readStop === 'function'
  );
}
