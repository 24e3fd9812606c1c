import { stringify } from 'yaml';
import { type DocumentedKey, documentedKeys } from './config-keys.js';

const WIDTH = 100;

/** `config/default.yaml`: every key with its default, and a comment that says what it is and in which unit. */
export function defaultYaml(): string {
  const lines = [
    '# yaml-language-server: $schema=maskwatch.schema.json',
    '# Every key of the configuration with its default. Written by `npm run generate`: do not edit; copy what',
    '# you change into a file of your own (see cameras.example.yaml). What has no default is commented out.',
  ];
  for (const key of documentedKeys()) lines.push('', ...topLevel(key));
  return `${lines.join('\n')}\n`;
}

function topLevel(key: DocumentedKey): string[] {
  if (!key.isList)
    return [...comment(key, ''), `${key.key}:`, ...key.keys.flatMap((inner) => entry(inner, '  '))];
  return [...comment(key, ''), `${key.key}: []`, '# Each item has these keys:', ...item(key.keys, '')];
}

function entry(key: DocumentedKey, indent: string): string[] {
  const lines = comment(key, indent);
  if (key.defaultValue === undefined) return [...lines, ...commentedOut(key, indent)];
  lines.push(`${indent}${key.key}: ${flow(key.defaultValue)}`);
  if (key.keys.length > 0) lines.push(...item(key.keys, indent));
  return lines;
}

/** The keys of one item of a list, commented out as a whole. */
function item(keys: readonly DocumentedKey[], indent: string): string[] {
  const lines = keys.flatMap((key) => [
    ...wrap(key.description, WIDTH - indent.length - 6).map((line) => `# ${line}`),
    `${key.key}: ${key.isRequired || key.defaultValue === undefined ? placeholder(key) : flow(key.defaultValue)}`,
  ]);
  return lines.map((line, index) => `${indent}#  ${index === 0 ? '-' : ' '} ${line}`);
}

/** A key without a default, with the keys in it if it is a mapping. */
function commentedOut(key: DocumentedKey, indent: string): string[] {
  if (key.keys.length === 0) return [`${indent}# ${key.key}: ${placeholder(key)}`];
  return [
    `${indent}# ${key.key}:`,
    ...key.keys.flatMap((inner) => [
      ...wrap(inner.description, WIDTH - indent.length - 6).map((line) => `${indent}#   # ${line}`),
      `${indent}#   ${inner.key}: ${placeholder(inner)}`,
    ]),
  ];
}

function placeholder(key: DocumentedKey): string {
  const known: Record<string, string> = {
    url: 'rtsp://10.0.0.5:554/stream1',
    password: '{ env: DOOR_PASSWORD }',
    secret: '{ env: MASKWATCH_SECRET }',
    polygon: '[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]',
    from: '"08:00"',
    to: '"18:00"',
    ffmpegPath: '/usr/bin/ffmpeg',
    id: 'door',
    name: 'Main door',
    username: 'viewer',
  };
  return known[key.key] ?? '{}';
}

function comment(key: DocumentedKey, indent: string): string[] {
  return wrap(key.description, WIDTH - indent.length - 2).map((line) => `${indent}# ${line}`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}
