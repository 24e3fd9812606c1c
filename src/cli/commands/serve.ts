import { type Command, Option } from 'commander';
import { parsePort } from '../parse-options.js';

interface ServeOptions {
  config: string;
  port?: number;
  host?: string;
}

export function register(program: Command): void {
  program
    .command('serve')
    .description('Watch the cameras of a configuration until stopped.')
    .addOption(new Option('-c, --config <file>', 'the configuration, YAML').makeOptionMandatory())
    .option('-p, --port <n>', 'port to listen on, 0 takes a free one (instead of server.port)', parsePort)
    .option('--host <address>', 'address to listen on (instead of server.host)')
    .addHelpText(
      'after',
      '\nPrints one line of JSON once it answers: {"event":"ready","url":…,"cameras":…,"pid":…}. Logs go to stderr.',
    )
    .action(async (options: ServeOptions) => {
      const [{ loadConfig }, { runService }] = await Promise.all([
        import('../../config/load-config.js'),
        import('../run-service.js'),
      ]);
      const config = await loadConfig(options.config);
      await runService({
        ...config,
        server: {
          ...config.server,
          ...(options.port === undefined ? {} : { port: options.port }),
          ...(options.host === undefined ? {} : { host: options.host }),
        },
      });
    });
}
