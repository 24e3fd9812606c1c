import type { Command } from 'commander';
import { parseCount, parsePort } from '../parse-options.js';

interface DemoOptions {
  cameras: number;
  port: number;
  video?: string[];
}

export function register(program: Command): void {
  program
    .command('demo')
    .description('Show everything with simulated RTSP cameras: no camera, server or GPU needed.')
    .option('-n, --cameras <n>', 'how many cameras', parseCount, 4)
    .option('-v, --video <file...>', 'play these videos instead of the footage that ships')
    .option('-p, --port <n>', 'port of the page, 0 takes a free one', parsePort, 8080)
    .addHelpText(
      'after',
      '\nPrints one line of JSON once it answers: {"event":"ready","url":…,"cameras":…,"pid":…}.',
    )
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('../run-demo.js');
      await runDemo(options);
    });
}
