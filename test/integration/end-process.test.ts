import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const fixture = fileURLToPath(new URL('../support/hung-thread.ts', import.meta.url));

it.skipIf(process.platform === 'win32')(
  'ends a process whose thread hangs in native code (needs mkfifo)',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'maskwatch-hung-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const child = spawn(process.execPath, ['--import', 'tsx', fixture, pipe], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let said = '';
      child.stdout.on('data', (text) => {
        said += String(text);
      });
      expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
      expect(said).toBe('other exit handlers ran');
    } finally {
      child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  },
);
