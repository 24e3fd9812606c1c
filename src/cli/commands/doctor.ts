import type { Command } from 'commander';
import { note, printJson, printLine } from '../output.js';

const MARKS = { ok: 'ok     ', absent: 'absent ', problem: 'PROBLEM' } as const;

export function register(program: Command): void {
  program
    .command('doctor')
    .description('Look at this machine: what is there, what is missing, and how to get it. Changes nothing.')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { json?: true }) => {
      const [{ examineMachine }, { withSignals }] = await Promise.all([
        import('../doctor/examine-machine.js'),
        import('../signals.js'),
      ]);
      await withSignals(async (signal) => {
        note('maskwatch: starting every engine once, some seconds each …');
        const report = await examineMachine({
          signal,
          onFinding: ({ name, state, detail, remedy }) => {
            if (options.json) return;
            printLine(`${MARKS[state]}  ${name}: ${detail}`);
            if (state !== 'ok' && remedy !== undefined) printLine(`         → ${remedy}`);
          },
        });
        if (options.json) printJson(report);
        else printLine(report.ok ? 'maskwatch can run here' : 'maskwatch cannot run here as it is');
        if (!report.ok) process.exitCode = 3;
      });
    });
}
