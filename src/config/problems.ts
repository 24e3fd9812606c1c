import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Where, e.g. `cameras[2].url`; empty for the file as a whole. */
  path: string;
  message: string;
  /** What to do about it. */
  hint?: string;
  /** Line of the file, from 1. */
  line?: number;
}

export type KeyPath = readonly (string | number)[];

/** `['cameras', 2, 'url']` → `cameras[2].url`. */
export function formatPath(path: KeyPath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

/** A problem before it has become text: its place in the document is still wanted for the line. */
export interface PlacedProblem {
  path: KeyPath;
  message: string;
  hint?: string;
}

/** Every key that the schema knows, as a path without array indices, e.g. `cameras.policy.graceSeconds`. */
export type KnownKeys = ReadonlyMap<string, readonly string[]>;

/**
 * What zod found, in words, an unknown key each with the nearest key that exists.
 * `data` is what was checked: it tells a missing key from one of the wrong kind.
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  data: unknown,
  known: KnownKeys,
): PlacedProblem[] {
  return issues.flatMap((issue): PlacedProblem[] => {
    const path = issue.path.filter((key) => typeof key !== 'symbol');
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: 'unknown key',
        hint: nearestKeyHint(path, key, known),
      }));
    return [{ path, ...describeIssue(issue, valueAt(data, path)) }];
  });
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): { message: string; hint?: string } {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return { message: 'is missing' };
      return {
        message: `must be ${kindOf(issue.expected)}, is ${describeValue(value)}`,
        ...(issue.expected === 'string' && typeof value !== 'object'
          ? { hint: `put it in quotes: "${String(value)}"` }
          : {}),
        ...(issue.expected === 'boolean' && typeof value === 'string' && /^(yes|no|on|off)$/i.test(value)
          ? { hint: `write ${/^(yes|on)$/i.test(value)}` }
          : {}),
      };
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const near = typeof value === 'string' ? closest(value, allowed) : undefined;
      return {
        message: `must be one of ${allowed.join(', ')}; is ${describeValue(value)}`,
        ...(near !== undefined && isNear(String(value), near) ? { hint: `did you mean ${near}?` } : {}),
      };
    }
    case 'too_small':
      return {
        message: `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${size(issue, issue.minimum)}`,
      };
    case 'too_big':
      return {
        message: `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${size(issue, issue.maximum)}`,
      };
    case 'not_multiple_of':
      return { message: `must be a multiple of ${issue.divisor}, is ${describeValue(value)}` };
    default:
      return { message: issue.message };
  }
}

function size(issue: { origin: string }, bound: number | bigint): string {
  const plural = Number(bound) === 1 ? '' : 's';
  if (issue.origin === 'string') return `${bound} character${plural} long`;
  if (issue.origin === 'array') return `${bound} item${plural} long`;
  return String(bound);
}

function kindOf(expected: string): string {
  const kinds: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    tuple: 'a list',
    object: 'a mapping of keys',
    record: 'a mapping of keys',
  };
  return kinds[expected] ?? expected;
}

/** A value in a message; long text is cut. Never used where a secret may stand. */
function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'empty';
  if (typeof value === 'object') return 'a mapping of keys';
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  return String(value);
}

function nearestKeyHint(parent: KeyPath, key: string, known: KnownKeys): string {
  const parentName = parent.filter((part) => typeof part === 'string').join('.');
  const siblings = known.get(parentName) ?? [];
  const sibling = siblings.length > 0 ? closest(key, siblings) : undefined;
  if (sibling !== undefined && isNear(key, sibling))
    return `did you mean ${formatPath([...parent, sibling])}?`;
  // The right key in the wrong place: the same or nearly the same word in another section.
  const depthOf = (section: string) => (section === '' ? 0 : section.split('.').length);
  const sections = [...known].sort(([a], [b]) => depthOf(a) - depthOf(b));
  for (const isMatch of [isSame, isNear])
    for (const [section, keys] of sections) {
      const match = keys.find((other) => isMatch(key, other));
      if (match !== undefined) return `did you mean ${section === '' ? match : `${section}.${match}`}?`;
    }
  if (siblings.length === 0) return 'remove it';
  return `the keys here are ${siblings.join(', ')}; the nearest is ${sibling}`;
}

function isSame(key: string, other: string): boolean {
  return key.toLowerCase() === other.toLowerCase();
}

/** Near enough to be a slip: a third of the letters, or the same word in another spelling (`rate_fps`). */
function isNear(key: string, other: string): boolean {
  const a = plain(key);
  const b = plain(other);
  return distance(a, b) <= Math.max(1, Math.floor(Math.max(a.length, b.length) / 3));
}

function plain(key: string): string {
  return key.toLowerCase().replace(/[-_ ]/g, '');
}

export function valueAt(data: unknown, path: KeyPath): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
