import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TENSORFLOW_RELEASES } from '../../../src/setup/tensorflow-release.js';

const guide = readFileSync(fileURLToPath(new URL('../../../docs/gpu.md', import.meta.url)), 'utf8');
const commands = [...guide.matchAll(/^pip download[\s\S]*?\n```/gm)].map(([text]) => text);

/** Platforms in a wheel's name: `…-manylinux2014_x86_64.manylinux_2_17_x86_64.whl` is for both. */
const platformsOf = (file: string) =>
  file
    .replace(/\.whl$/, '')
    .split('-')
    .at(-1)!
    .split('.');

it.each(['cpu', 'cuda'] as const)('docs/gpu.md fetches exactly the wheels of the %s build', (variant) => {
  const { wheels } = TENSORFLOW_RELEASES[variant];
  const command = commands[variant === 'cpu' ? 0 : 1] ?? '';
  const named = [...command.matchAll(/([a-z0-9-]+==[0-9.]+)/g)].map(([, name]) => name);
  expect(named.sort()).toEqual(wheels.map(({ project, version }) => `${project}==${version}`).sort());
  for (const { file } of wheels)
    expect(
      platformsOf(file).some((platform) => command.includes(`--platform ${platform}`)),
      file,
    ).toBe(true);
});
