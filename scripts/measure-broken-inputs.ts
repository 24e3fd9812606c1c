// Gives the product every broken address, option, file and stream that was thought of, and prints what a user is told
// of each, as a table. Exit code 1 where something was not told, or the service or a healthy camera took harm.
// npx tsx scripts/measure-broken-inputs.ts [--json]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tryBrokenInputs } from '../test/support/broken-inputs.js';
import { makeClip } from '../test/support/ingest-clips.js';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const folder = await mkdtemp(join(tmpdir(), 'maskwatch-broken-'));
try {
  const healthyFile = await makeClip(folder, {
    name: 'healthy.mp4',
    width: 320,
    height: 180,
    seconds: 8,
    bFrames: 0,
  });
  const { results, healthy, isUp } = await tryBrokenInputs({
    ...{ folder, healthyFile },
    onLine: (line) => process.stderr.write(`${line}\n`),
  });
  const isSound = isUp && healthy.state === 'live' && healthy.restarts === 0;
  if (values.json) process.stdout.write(`${JSON.stringify({ results, isUp, healthy })}\n`);
  else {
    process.stdout.write('| what is broken | what the user is told | |\n| --- | --- | --- |\n');
    for (const { name, isRight, said } of results)
      process.stdout.write(
        `| ${name} | ${said.replaceAll('|', '\\|').replaceAll('\n', ' ')} | ${isRight ? '' : 'WRONG'} |\n`,
      );
    const wrong = results.filter(({ isRight }) => !isRight).length;
    process.stdout.write(
      `\n${results.length} tried, ${wrong} wrong; service up: ${isUp}; healthy camera: ${healthy.state}, ${healthy.restarts} restarts\n`,
    );
  }
  process.exitCode = isSound && results.every(({ isRight }) => isRight) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
