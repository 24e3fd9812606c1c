import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { keepStderrForErrors } from '../../../src/cli/output.js';
import { startProgress } from '../../../src/cli/progress.js';

function plainStream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 80,
    cursorTo: () => true,
    clearLine: () => true,
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => String(stream.read() ?? '') };
}

describe('progress without a terminal', () => {
  it('writes a plain line for every two seconds of work', () => {
    const { stream, text } = plainStream(false);
    let nowMs = 0;
    const progress = startProgress({
      label: 'training',
      total: 10,
      unit: 'epochs',
      stream,
      nowMs: () => nowMs,
    });
    for (let done = 1; done <= 5; done++) {
      nowMs += 1000;
      progress.update(done, done === 4 ? 'loss 0.5' : '');
    }
    progress.stop();
    expect(text()).toBe('training: 2 of 10 epochs, 8 s left\ntraining: 4 of 10 epochs, 6 s left, loss 0.5\n');
  });

  it('writes nothing when programs read stderr (--json)', () => {
    const { stream, text } = plainStream(false);
    let nowMs = 0;
    const progress = startProgress({ label: 'training', total: 10, stream, nowMs: () => nowMs });
    keepStderrForErrors(true);
    nowMs = 5000;
    progress.update(5);
    keepStderrForErrors(false);
    expect(text()).toBe('');
    progress.update(5);
    expect(text()).toBe('training: 5 of 10 steps, 5 s left\n');
  });

  it('tells minutes where many are left, and nothing at the end', () => {
    const { stream, text } = plainStream(false);
    let nowMs = 0;
    const progress = startProgress({ label: 'training', total: 100, stream, nowMs: () => nowMs });
    nowMs = 3000;
    progress.update(1);
    nowMs = 300_000;
    progress.update(100);
    expect(text()).toBe('training: 1 of 100 steps, about 5 min left\ntraining: 100 of 100 steps\n');
  });

  it('writes nothing for quick work', () => {
    const { stream, text } = plainStream(false);
    const progress = startProgress({ label: 'x', total: 1, stream, nowMs: () => 0 });
    progress.update(1);
    progress.stop();
    expect(text()).toBe('');
  });
});

it('progress on a terminal is a bar', () => {
  const { stream, text } = plainStream(true);
  const progress = startProgress({ label: 'training', total: 10, stream });
  progress.update(10, 'loss 0.5');
  progress.stop();
  expect(text()).toMatch(/training .*100 %.*10\/10 steps.*loss 0.5/s);
});
