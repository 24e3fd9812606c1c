import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { PhaseProgress } from '../../../src/cli/phase-progress.js';

function say(isTTY: boolean): string {
  const plain = Object.assign(new PassThrough(), {
    isTTY,
    columns: 80,
    cursorTo: () => true,
    clearLine: () => true,
  });
  const progress = new PhaseProgress(plain as unknown as NodeJS.WriteStream);
  progress.waited(5, 5);
  progress.waited(31.2, 60);
  progress.stop();
  return String(plain.read() ?? '');
}

it('shows each wait as a bar on a terminal', () => {
  expect(say(true)).toMatch(/5\/5 s.*31\/60 s/s);
});

it('says nothing of waits where there is no terminal', () => {
  expect(say(false)).toBe('');
});
