import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Lock {
  packages: Record<
    string,
    { hasInstallScript?: boolean; optionalDependencies?: Record<string, string>; resolved?: string }
  >;
}

const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as Lock;

it('keeps npm 10 from running the install script of onnxruntime-node', () => {
  // npm 11 obeys allowScripts. npm 10 (Node 20 and 22) runs what the lock marks; this script fetches the CUDA
  // provider from outside the registry and fails the whole install where it cannot. Delete the mark by hand
  // if npm has written it again.
  expect(lock.packages['node_modules/onnxruntime-node']?.hasInstallScript).toBeUndefined();
});

it('has the packages of every platform', () => {
  // npm writes a lock that other platforms, and npm 11 itself, refuse when it starts from an installed tree.
  // Make it again without one: remove package-lock.json, then npm install --package-lock-only elsewhere.
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isThere(path, name)),
  );
  expect(missing).toEqual([]);
});

function isThere(path: string, name: string): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in lock.packages) return true;
    if (at === '') return false;
  }
}

it('names no registry', () => {
  expect(Object.values(lock.packages).filter((entry) => entry.resolved?.startsWith('http'))).toEqual([]);
});
