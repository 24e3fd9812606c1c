import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { type ProcessEntry, processTable } from './process-table.js';

/** In the environment of every ffmpeg that we start: whose it is, legible also when that owner is gone. */
export const OWNER_VARIABLE = 'MASKWATCH_OWNER';

export interface Owner {
  readonly pid: number;
  /** As {@link ProcessEntry.startedAt}: a process that was given the id later is another one. `0`: not known. */
  readonly startedAt: number;
  /** The PID namespace in which `pid` counts (Linux), else 0: ids of another container say nothing here. */
  readonly space: number;
  /** Drawn once per process, so that what carries it is ours without a doubt. */
  readonly id: string;
}

/** `NAME=value`, as it stands in an environment. */
export function formatMark({ pid, startedAt, space, id }: Owner): string {
  return `${OWNER_VARIABLE}=${pid}:${startedAt}:${space}:${id}`;
}

/** Reads the mark out of an environment, or of arguments with their environment behind them. */
export function readMark(text: string): Owner | null {
  const match = /MASKWATCH_OWNER=(\d+):(\d+):(\d+):([0-9a-f-]{36})(?![0-9a-f-])/.exec(text);
  if (!match) return null;
  const [, pid, startedAt, space, id = ''] = match;
  return { pid: Number(pid), startedAt: Number(startedAt), space: Number(space), id };
}

let ours: Promise<Owner> | undefined;

/** This process as an owner. */
export function ourselves(): Promise<Owner> {
  ours ??= describeOurselves();
  return ours;
}

async function describeOurselves(): Promise<Owner> {
  const self = await processTable()
    .one(process.pid)
    .catch((): ProcessEntry | null => null);
  return { pid: process.pid, startedAt: self?.startedAt ?? 0, space: pidNamespace(), id: randomUUID() };
}

function pidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
  } catch {
    return 0; // Only Linux has them.
  }
}
