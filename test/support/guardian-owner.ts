/*
 * A process with a guardian that reads ps, and three children that would outlive it: one that carries the mark, one that
 * carries the mark of another life, and one of another PID namespace, which no service that starts beside this one may
 * end either. Prints JSON {marked, other, foreign, guardian}.
 */
import { spawn } from 'node:child_process';
import { Guardian } from '../../src/ingest/guardian.js';
import { formatMark, OWNER_VARIABLE, ourselves } from '../../src/ingest/owner-mark.js';
import { psTable } from '../../src/ingest/process-table.js';

// As where there is only ps, which tells the start in another unit than /proc.
const owner = { ...(await ourselves()), startedAt: (await psTable.one(process.pid))?.startedAt ?? 0 };
const guardian = new Guardian({ mark: formatMark(owner), isNeeded: () => true, from: 'ps' });
guardian.ensure();
const start = (change: Partial<typeof owner>) => {
  const [, mark] = formatMark({ ...owner, ...change }).split('=');
  return spawn('sleep', ['600'], { env: { ...process.env, [OWNER_VARIABLE]: mark }, stdio: 'ignore' }).pid;
};
const marked = start({});
const id = '00000000-0000-0000-0000-000000000000';
const other = start({ id });
const foreign = start({ space: owner.space + 1 });
process.stdout.write(`${JSON.stringify({ marked, other, foreign, guardian: guardian.pid })}\n`);
setInterval(() => {}, 1000);
