import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isAlive } from '../support/ingest-clips.js';
import { finished, lineWith, startCli } from '../support/run-cli.js';

/** Processes that this one started, from whichever thread; without the compiler that runs TypeScript in tests. */
async function childrenOf(pid: number): Promise<number[]> {
  const proc = (path: string) => readFile(`/proc/${path}`, 'utf8').catch(() => '');
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((thread) => proc(`${pid}/task/${thread}/children`)));
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  const names = await Promise.all(children.map((child) => proc(`${child}/comm`)));
  return children.filter((_, index) => names[index]?.trim() !== 'esbuild');
}

it.skipIf(process.platform !== 'linux')(
  'demo --chaos says each fault, never makes more than half of the cameras ill, and ends with nothing left (needs Linux)',
  async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'maskwatch-chaos-'));
    const child = startCli(
      ['demo', '-n', '4', '-p', '0', '--chaos', '--chaos-every', '0.5', '--chaos-seed', '5'],
      { env: { XDG_CACHE_HOME: cacheDir } },
    );
    try {
      const result = finished(child);
      let said = '';
      child.stderr?.on('data', (text: string) => {
        said += text;
      });
      await lineWith(child, '"event":"ready"');
      const told = () => said.match(/^chaos: (\S+) .* for \d+ s$/gm) ?? [];
      while (told().length < 3) await once(child.stderr!, 'data');
      const children = await childrenOf(child.pid!);
      expect(children.length).toBeGreaterThan(0);
      child.kill('SIGINT');
      const { code, stderr } = await result;
      expect(code).toBe(130);
      expect(children.filter(isAlive)).toEqual([]);
      expect(stderr).toContain('chaos: seed 5, a fault every 0.5 s or so');
      const ill = new Set<string>();
      for (const [, id, words] of stderr.matchAll(/^chaos: (\S+) (.*(?:for \d+ s|well again))$/gm)) {
        if (words === 'is well again') ill.delete(id!);
        else ill.add(id!);
        expect(ill.size).toBeLessThanOrEqual(2);
      }
      expect((await readdir(join(cacheDir, 'maskwatch', 'clips'))).length).toBe(4);
    } finally {
      child.kill('SIGKILL');
      await rm(cacheDir, { recursive: true, force: true });
    }
  },
  180_000,
);
