// Writes the files that are made from the source, so that they cannot differ from it: `npm run generate`.
// With --check it writes nothing and fails when one is not up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardJson } from '../grafana/dashboard.js';
import { configJsonSchema } from './generate/config-schema.js';
import { configurationPage } from './generate/configuration-page.js';
import { defaultYaml } from './generate/default-yaml.js';

/** Path from the repository's root → what makes its text. A new generated file is one more line here. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'config/maskwatch.schema.json': configJsonSchema,
  'config/default.yaml': defaultYaml,
  'docs/configuration.md': configurationPage,
  'grafana/dashboards/maskwatch-overview.json': dashboardJson,
};

/** The generated files whose text is not what the source says. */
export function staleFiles(): string[] {
  return Object.entries(GENERATED).flatMap(([path, make]) => {
    const url = new URL(`../${path}`, import.meta.url);
    return existsSync(url) && readFileSync(url, 'utf8') === make() ? [] : [path];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = staleFiles();
  if (process.argv.includes('--check')) {
    for (const path of stale) process.stderr.write(`${path} is not up to date: run "npm run generate"\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const path of stale) {
      writeFileSync(new URL(`../${path}`, import.meta.url), GENERATED[path]!());
      process.stderr.write(`wrote ${path}\n`);
    }
  }
}
