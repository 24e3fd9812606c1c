import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { MachineReport } from '../../src/cli/doctor/examine-machine.js';
import { runCli } from '../support/run-cli.js';

it('doctor tells of folders that cannot be used, and that maskwatch runs all the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'maskwatch-full-'));
  try {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, stdout } = await runCli(['doctor', '--json'], {
      env: { XDG_CACHE_HOME: join(file, 'cache') },
    });
    const { ok, findings } = JSON.parse(stdout) as MachineReport;
    expect(findings.find(({ name }) => name === 'cache folder')).toMatchObject({
      state: 'absent',
      detail: expect.stringContaining(join(file, 'cache', 'maskwatch')),
      remedy: expect.stringContaining('XDG_CACHE_HOME'),
    });
    expect(findings.find(({ name }) => name === 'set-up of native TensorFlow')?.detail).toMatch(
      /^(done|possible|not possible) \((cpu|cuda)\): /,
    );
    expect({ ok, code }).toEqual({ ok: true, code: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
