import { run } from './cli/program.js';
import { refuseTelemetry } from './inference/native-environment.js';

refuseTelemetry();
process.exitCode = await run(process.argv.slice(2));
