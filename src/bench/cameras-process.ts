/*
 * A process of simulated cameras for the benchmark, apart from the service so that their CPU is not counted as
 * its own. Argument: JSON {count}. Says {cameras: [{id, name, url}], credentials} and ends with its input.
 */
import { footageCameras } from '../demo/demo-cameras.js';
import { openSimulatedCameras } from '../demo/simulated-cameras.js';
import { findFfmpeg } from '../ingest/ffmpeg-binary.js';

const { count } = JSON.parse(process.argv[2] ?? '{}') as { count: number };
const credentials = { username: 'bench', password: 'bench' };
const { path: ffmpegPath } = await findFfmpeg();
// Only clips with faces in view all the time.
const simulated = await openSimulatedCameras({
  cameras: footageCameras(count, ['entrance', 'reception', 'corridor']),
  ffmpegPath,
  credentials,
});
process.stdout.write(`${JSON.stringify({ cameras: simulated.cameras, credentials })}\n`);
process.stdin.resume();
process.stdin.once('close', () => void simulated.close().then(() => process.exit(0)));
process.once('SIGTERM', () => void simulated.close().then(() => process.exit(0)));
