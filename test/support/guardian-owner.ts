/*
 * A process with a guardian that reads ps, and two children that would outlive it: one that carries the mark, and one
 * that carries a mark like it. Prints JSON {marked, other, guardian}.
 */
import { spawn } from 'node:child_process';
import { Guardian } from '../../src/ingest/guardian.js';
import { formatMark, OWNER_VARIABLE, ourselves } from '../../src/ingest/owner-mark.js';
import { psTable } from '../../src/ingest/process-table.js';

// As where there is only ps, which tells the start in another unit than /proc.
const owner = { ...(await ourselves()), startedAt: (await psTable.one(process.pid))?.startedAt ?? 0 };
const guardian = new Guardian({ mark: formatMark(owner), isNeeded: () => true, from: 'ps' });
guardian.ensure();
const start = (id: string) => {
  const [, mark] = formatMark({ ...owner, id }).split('=');
  return spawn('sleep', ['600'], { env: { ...process.env, [OWNER_VARIABLE]: mark }, stdio: 'ignore' }).pid;
};
const marked = start(owner.id);
const other = start('00000000-0000-0000-0000-000000000000');
process.stdout.write(`${JSON.stringify({ marked, other, guardian: guardian.pid })}\n`);
setInterval(() => {}, 1000);
