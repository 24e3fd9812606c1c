import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** One group of tests; a later group starts when the earlier one is through, so that quick failures come first. */
function group(name: string, groupOrder: number, include: string[]) {
  return { extends: true as const, test: { name, include, sequence: { groupOrder } } };
}

export default defineConfig({
  test: {
    // Native modules and worker threads: every file in a process of its own.
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    // What is measured of engines is remembered, but not among the person's own files.
    env: { XDG_CACHE_HOME: join(tmpdir(), 'maskwatch-test-cache') },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    globalSetup: ['test/support/no-leftover-processes.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    passWithNoTests: false,
    projects: [
      group('unit', 0, ['test/unit/**/*.test.ts']),
      group('contract', 1, ['test/contract/**/*.test.ts']),
      group('integration', 2, ['test/integration/**/*.test.ts']),
      group('e2e', 3, ['test/e2e/**/*.test.ts']),
    ],
  },
});
