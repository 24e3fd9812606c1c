import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.js';

describe('the command line frame', () => {
  it('describes every command in a sentence', async () => {
    const program = await createProgram();
    expect(program.commands.length).toBeGreaterThan(0);
    for (const command of program.commands)
      expect(command.description(), command.name()).toMatch(/^[A-Z].*\.$/s);
  });
});
