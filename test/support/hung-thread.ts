// Ends itself although a thread of it hangs in native code: reading the named pipe that is the first argument.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { endProcessSoon } from '../../src/lib/end-process.js';

const code = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.postMessage('reading');
  require('node:fs').readFileSync(workerData);
`;
const thread = new Worker(code, { eval: true, workerData: process.argv[2] });
await once(thread, 'message');
process.once('exit', () => process.stdout.write('other exit handlers ran'));
endProcessSoon(100);
