import type { Command } from 'commander';
import { note, printJson, printLine } from '../output.js';

export function register(program: Command): void {
  program
    .command('check')
    .description('Check a configuration file and name every problem in it.')
    .argument('<file>', 'configuration file (YAML)')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: { json?: true }) => {
      const { checkConfigFile } = await import('../../config/load-config.js');
      const result = await checkConfigFile(file);
      if (!result.valid) process.exitCode = 2;
      if (options.json) {
        printJson(result);
        return;
      }
      if (result.valid) {
        printLine(`${file}: valid, ${result.cameras} ${result.cameras === 1 ? 'camera' : 'cameras'}`);
        return;
      }
      for (const problem of result.problems) {
        const line = problem.line === undefined ? '' : `:${problem.line}`;
        const path = problem.path === '' ? '' : `${problem.path}: `;
        printLine(`${file}${line}: ${path}${problem.message}`);
        if (problem.hint !== undefined) printLine(`  hint: ${problem.hint}`);
      }
      note(`maskwatch: ${result.problems.length} ${result.problems.length === 1 ? 'problem' : 'problems'}`);
    });
}
