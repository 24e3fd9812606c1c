/*
 * A process that owns running cameras, for tests that kill it. Arguments: URLs; FFMPEG_PATH says which ffmpeg. Prints
 * JSON lines: {started: pid} for every ffmpeg, {frames: pid} at its first frame, and {guardian: pid} with each. A run
 * that ends is not begun again.
 */
import { guardianPid } from '../../src/ingest/child-processes.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { FfmpegSource } from '../../src/ingest/ffmpeg-source.js';
import { systemClock } from '../../src/lib/clock.js';

const say = (fact: object) =>
  process.stdout.write(`${JSON.stringify({ ...fact, guardian: guardianPid() })}\n`);
const binary = await findFfmpeg();

await Promise.all(
  process.argv.slice(2).map((url, index) => {
    let pid = 0;
    let hasFrames = false;
    const source = new FfmpegSource({
      cameraId: `owned-${index}`,
      url,
      analysis: { rateFps: 5, widthPx: 160, heightPx: 90 },
      binary,
      clock: systemClock,
      // ffmpeg's own time-out must not come to help.
      timeoutMs: 600_000,
      loop: true,
      onSpawn: (spawned) => {
        pid = spawned;
        say({ started: pid });
      },
    });
    return source.run(
      {
        frame: (frame) => {
          frame.release();
          if (!hasFrames) say({ frames: pid });
          hasFrames = true;
        },
        dropped: () => {},
      },
      new AbortController().signal,
    );
  }),
);
