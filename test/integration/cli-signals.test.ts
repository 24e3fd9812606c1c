import { describe, expect, it } from 'vitest';
import { finished, lineWith, startCli, startScript } from '../support/run-cli.js';

const start = (kind: string) => startScript('test/support/signals-fixture.ts', [kind]);

describe('a command under withSignals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('closes on %s and exits with %i', async (signal, code) => {
    const child = start('polite');
    const result = finished(child);
    await lineWith(child, 'ready');
    child.kill(signal);
    expect(await result).toEqual({ code, signal: null, stdout: 'ready\nclosed\n', stderr: '' });
  });

  it('may end by throwing the reason of its signal', async () => {
    const child = start('throws');
    const result = finished(child);
    await lineWith(child, 'ready');
    child.kill('SIGTERM');
    expect(await result).toMatchObject({ code: 143, stderr: '' });
  });

  it('tells an error that comes while it closes', async () => {
    const child = start('fails');
    const result = finished(child);
    await lineWith(child, 'ready');
    child.kill('SIGTERM');
    expect(await result).toMatchObject({ code: 1, stderr: expect.stringContaining('closing failed') });
  });

  it('exits at once on a second signal', async () => {
    const child = start('stubborn');
    const result = finished(child);
    await lineWith(child, 'ready');
    const closing = lineWith(child, 'closing');
    child.kill('SIGTERM');
    await closing;
    child.kill('SIGINT');
    expect(await result).toMatchObject({ code: 130, stdout: 'ready\nclosing\n' });
  });

  it('closes quietly when nobody reads its output any more', async () => {
    const child = start('chatty');
    const result = finished(child);
    await lineWith(child, 'ready');
    child.stdout?.destroy();
    expect(await result).toMatchObject({ code: 0, signal: null, stderr: 'closed cleanly\n' });
  });
});

it('a demo that is stopped while it starts is not called ready', async () => {
  const child = startCli(['demo', '--cameras', '1', '--port', '0']);
  const result = finished(child);
  // Told on stderr just before the models are loaded.
  await new Promise<void>((resolve) =>
    child.stderr?.on('data', (text: string) => {
      if (text.includes('loading the models')) resolve();
    }),
  );
  child.kill('SIGINT');
  expect(await result).toMatchObject({ code: 130, stdout: '' });
});
