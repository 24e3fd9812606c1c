import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Words in the source that look like a code and are none of ours. */
const NOT_CODES = new Set([
  // yaml's
  ...[
    'BAD_ALIAS',
    'BAD_SCALAR_START',
    'DUPLICATE_KEY',
    'MULTIPLE_DOCS',
    'TAB_AS_INDENT',
    'TAG_RESOLVE_FAILED',
  ],
  // TensorFlow's, ONNX's and Node's
  ...[
    'DT_FLOAT',
    'DT_INT32',
    'DT_UINT8',
    'SAME_UPPER',
    'MODULE_NOT_FOUND',
    'WASM_HAS_MULTITHREAD_SUPPORT',
    'EAI_AGAIN',
  ],
  // variables and RTSP methods
  ...['FFMPEG_PATH', 'MASKWATCH_OWNER', 'MASKWATCH_RUN', 'GET_PARAMETER', 'SET_PARAMETER'],
]);

function codesInSource(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['src', 'workers'])
    for (const path of readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts')) continue;
      const text = readFileSync(`${root}${folder}/${path}`, 'utf8');
      for (const [, code] of text.matchAll(/['"]([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)['"]/g))
        if (code !== undefined && !NOT_CODES.has(code)) found.set(code, `${folder}/${path}`);
    }
  return found;
}

function codesInTable(): string[] {
  const text = readFileSync(`${root}docs/errors.md`, 'utf8');
  return [...text.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, code]) => code as string);
}

it('docs/errors.md has every code of the source', () => {
  const table = new Set(codesInTable());
  const missing = [...codesInSource()].filter(([code]) => !table.has(code));
  expect(missing.map(([code, path]) => `${code} (${path})`)).toEqual([]);
});

it('docs/errors.md has no code that is gone, and none twice', () => {
  const source = codesInSource();
  const table = codesInTable();
  expect(table.filter((code) => !source.has(code))).toEqual([]);
  expect(table.filter((code, index) => table.indexOf(code) !== index)).toEqual([]);
});
