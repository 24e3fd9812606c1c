import type { Command } from 'commander';
import { parseCount, parsePort, parsePositive, parseVideoRate } from '../parse-options.js';

interface DemoOptions {
  cameras: number;
  port: number;
  video?: string[];
  webcam?: string | true;
  videoFps?: number;
  videoKeyframes?: number;
  chaos?: true;
  chaosEvery: number;
  chaosSeed: number;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description('Show everything with simulated RTSP cameras: no camera, server or GPU needed.')
    .option('-n, --cameras <n>', 'how many cameras', parseCount, 4)
    .option('-v, --video <file...>', 'play these videos instead of the footage that ships')
    .option('--video-fps <n>', 'let the clips have so many pictures a second, 1 to 60', parseVideoRate)
    .option('--video-keyframes <seconds>', 'let their keyframes lie so far apart', parsePositive)
    .option('--webcam [device]', "watch this computer's own camera instead (default: the first)")
    .option(
      '--chaos',
      'let faults happen to up to half of the cameras: freezes, lost packets, wrong passwords …',
    )
    .option('--chaos-every <seconds>', 'mean time from one fault to the next', parsePositive, 10)
    .option('--chaos-seed <n>', 'the same number gives the same faults', parseCount, 1)
    .option('-p, --port <n>', 'port of the page, 0 takes a free one', parsePort, 8080)
    .addHelpText(
      'after',
      '\n--chaos says each fault on stderr: what, which camera, how long. What there is and what a client sees of it' +
        '\nstands in docs/simulated-cameras.md.\n' +
        '\nPrints one line of JSON once it answers: {"event":"ready","url":…,"cameras":…,"pid":…}.',
    )
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('../run-demo.js');
      await runDemo(options);
    });
}
