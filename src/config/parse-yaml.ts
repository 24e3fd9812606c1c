import {
  isMap,
  isNode,
  isPair,
  LineCounter,
  parseDocument,
  type YAMLMap,
  type YAMLParseError,
  type YAMLWarning,
} from 'yaml';
import type { ConfigProblem, KeyPath } from './problems.js';

export type ParsedYaml =
  | { readonly ok: true; readonly data: Record<string, unknown>; lineOf(path: KeyPath): number | undefined }
  | { readonly ok: false; readonly problems: ConfigProblem[] };

/**
 * Reads a YAML 1.2 text (merge keys `<<` work) into plain data. A key without a value counts as left out, so
 * that a section may stand empty with its keys commented out. All syntax errors are told with their lines.
 */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    return {
      ok: false,
      problems: faults.map((fault) => ({
        path: '',
        ...describeFault(fault),
        line: lines.linePos(fault.pos[0]).line,
      })),
    };
  let data: unknown;
  try {
    data = document.toJS();
  } catch (error) {
    return { ok: false, problems: [{ path: '', ...describeFault(error as YAMLParseError) }] };
  }
  if (data === null || data === undefined)
    return {
      ok: false,
      problems: [
        { path: '', message: 'the file is empty', hint: 'config/cameras.example.yaml is a beginning' },
      ],
    };
  if (!isMap(document.contents))
    return {
      ok: false,
      problems: [
        {
          path: '',
          message: `must be a mapping of keys, is ${Array.isArray(data) ? 'a list' : 'a single value'}`,
          line: 1,
        },
      ],
    };
  const root = document.contents;
  return {
    ok: true,
    data: withoutNulls(data) as Record<string, unknown>,
    lineOf: (path) => {
      const offset = offsetOf(root, path);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
  };
}

/** The library's words for what people do wrong most are replaced; they may also repeat a password. */
function describeFault(fault: YAMLParseError | YAMLWarning): { message: string; hint?: string } {
  const quotes = 'text with special characters goes in quotes: "…"';
  if (/^Unresolved alias/.test(fault.message))
    return { message: 'a value that begins with * is an alias, and its anchor does not exist', hint: quotes };
  switch (fault.code) {
    case 'DUPLICATE_KEY':
      return { message: 'the same key stands twice in one mapping' };
    case 'TAB_AS_INDENT':
      return { message: 'a tab is used as indentation', hint: 'indent with spaces' };
    case 'MULTIPLE_DOCS':
      return { message: 'a second document begins here (---); one is allowed' };
    case 'TAG_RESOLVE_FAILED':
      return { message: 'a value that begins with ! is a tag, and tags are not known here', hint: quotes };
    case 'BAD_SCALAR_START':
    case 'BAD_ALIAS':
      return { message: 'a value begins with a character that YAML reserves', hint: quotes };
    default:
      return { message: `not valid YAML: ${fault.message}` };
  }
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

/** Where the key at `path` begins; of a missing key, where the mapping that should have it begins. */
function offsetOf(root: YAMLMap, path: KeyPath): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? root : root.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && String(item.key) === String(key));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    } else {
      const node = root.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
  }
  return undefined;
}
