// Judges a run of the tests: node .ci/verdict.js SUMMARY_FILE EXIT_STATUS_OF_NPM_TEST. Prints the last line of .ci/run.
import { readFileSync } from 'node:fs';

/** What setup-dev cannot provide: a test that needs it may be skipped anywhere. */
const MAY_BE_MISSING = /\(needs [^)]*(GPU|CUDA|tfjs-node|shared data|user other than root|Node [<>≥≤])/i;

const [, , file = '', status = '1'] = process.argv;
let passed = 0;
let failed = 1;
let skipped = [];
try {
  ({ passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8')));
} catch {
  process.stdout.write('the tests ended without a result\n');
}
// vitest can fail without a failed test, e.g. for processes left behind.
if (status !== '0' && failed === 0) failed = 1;
const unexcused = process.env.CI === 'true' ? skipped.filter((name) => !MAY_BE_MISSING.test(name)) : [];
for (const name of unexcused) process.stdout.write(`skipped, but should have run: ${name}\n`);
const isGood = failed === 0 && unexcused.length === 0 && passed > 0;
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
process.exitCode = isGood ? 0 : 1;
