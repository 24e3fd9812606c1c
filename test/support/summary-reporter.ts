import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What `MASKWATCH_TEST_SUMMARY=FILE` gets: read by .ci/run. */
export interface TestSummary {
  passed: number;
  failed: number;
  /** Full names of the tests that did not run. */
  skipped: string[];
}

/** Ends a run with the names of skipped tests and a plain line of counts. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const summary: TestSummary = { passed: 0, failed: unhandled.length, skipped: [] };
    for (const module of modules) {
      // A file that cannot be loaded has no tests, but it failed.
      summary.failed += module.errors().length;
      for (const test of module.children.allTests()) count(summary, module, test);
    }
    const lines = summary.skipped.map((name) => `skipped: ${name}`);
    lines.push(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped.length} skipped`);
    process.stdout.write(`${lines.join('\n')}\n`);
    const file = process.env.MASKWATCH_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(summary));
  }
}

function count(summary: TestSummary, module: TestModule, test: TestCase): void {
  const { state } = test.result();
  if (state === 'passed') summary.passed++;
  else if (state === 'failed') summary.failed++;
  else summary.skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
}
