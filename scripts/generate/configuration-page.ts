import { type DocumentedKey, documentedKeys } from './config-keys.js';

const INTRODUCTION = `# Configuration

<!-- Written by \`npm run generate\` from src/config: do not edit. -->

One YAML file, named by \`--config\`. [config/cameras.example.yaml](../config/cameras.example.yaml) is a beginning,
[config/default.yaml](../config/default.yaml) has every key with its default.
\`maskwatch check FILE\` names every problem at once with the key's path, the line and, for an unknown key, the
nearest one that exists. Editors complete and check the file when its first line is

\`\`\`yaml
# yaml-language-server: $schema=PATH/config/maskwatch.schema.json
\`\`\`

- **Secrets** (\`password\`, \`server.auth.secret\`) stand in an environment variable, \`{ env: NAME }\`, in a file,
  \`{ file: PATH }\`, or, least well, in place as text. They are never printed, but a camera's
  password is visible in ffmpeg's arguments while it runs ([installation.md](installation.md#as-a-service)).
- **Addresses carry no credentials**: user and password are keys of their own and may have any characters.
- **Relative paths** start at the folder of the configuration file.
- **A key without a value** counts as left out. Unknown keys are errors.
- **YAML anchors and merge keys** (\`<<: *name\`) work, so cameras can share what they have in common.
- A camera's \`analysis\` and \`policy\` override the top level key by key; what they leave out stays as it is there.
`;

/** docs/configuration.md. */
export function configurationPage(): string {
  const keys = documentedKeys();
  const parts = keys.map((key) => section(key, key.key, 2));
  return `${INTRODUCTION}\n${parts.join('\n')}`;
}

function section(key: DocumentedKey, path: string, level: number): string {
  const rows = key.keys.map(
    (inner) =>
      `| \`${inner.key}\` | ${inner.values}${inner.keys.length > 0 ? ', see below' : ''} | ${defaultOf(inner)} | ${inner.meaning} |`,
  );
  if (path === 'cameras.analysis' || path === 'cameras.policy')
    return `${'#'.repeat(level)} \`${path}\`\n\n${key.meaning} The keys are those of [\`${key.key}\`](#${key.key}).\n`;
  const list = key.isList ? ' A list; each item has these keys:' : '';
  const inner = key.keys.filter((child) => child.keys.length > 0);
  return [
    `${'#'.repeat(level)} \`${path}\``,
    '',
    `${key.meaning}${list}`,
    '',
    '| key | values | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...inner.map((child) => section(child, `${path}.${child.key}`, level + 1)),
  ].join('\n');
}

function defaultOf(key: DocumentedKey): string {
  if (key.isRequired) return '**needed**';
  return (
    key.defaultWords ?? (key.defaultValue === undefined ? '–' : `\`${JSON.stringify(key.defaultValue)}\``)
  );
}
