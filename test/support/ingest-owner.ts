/*
 * A process that owns one running camera, for tests that end it in unfriendly ways.
 * Arguments: URL, and how it ends itself: `stay`, after the first frame by `exit` or `throw`, or by
 * `exit-before-frames` as soon as ffmpeg is started. It prints ffmpeg's process id.
 */
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { systemClock } from '../../src/lib/clock.js';

const [url = '', ending = 'stay'] = process.argv.slice(2);

let pid = 0;
let hasToldPid = false;
const source = new FfmpegSource({
  cameraId: 'owned',
  url,
  analysis: { rateFps: 5, widthPx: 160, heightPx: 90 },
  binary: await findFfmpeg(),
  clock: systemClock,
  loop: true,
  onSpawn: (spawned) => {
    pid = spawned;
    if (ending === 'exit-before-frames') process.stdout.write(`${pid}\n`, () => process.exit(0));
  },
});
await source.run(
  {
    frame: (frame) => {
      frame.release();
      if (hasToldPid) return;
      hasToldPid = true;
      process.stdout.write(`${pid}\n`, () => {
        if (ending === 'exit') process.exit(0);
        if (ending === 'throw') throw new Error('on purpose');
      });
    },
    dropped: () => {},
  },
  new AbortController().signal,
);
