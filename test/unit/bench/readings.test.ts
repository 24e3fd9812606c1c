import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { parseProcStat, readChildren, readProcess } from '../../../src/bench/process-stats.js';
import { parsePrometheusText, sumOf } from '../../../src/bench/prometheus-text.js';
import { percentile } from '../../../src/lib/percentile.js';

describe('parseProcStat', () => {
  it('reads CPU, parent and memory, also of a command with brackets and spaces', () => {
    const stats = parseProcStat(
      '4711 (odd) name (x) R 42 1 1 0 -1 0 0 0 0 0 150 50 20 5 20 0 1 0 100 0 0',
      '1000 250 100 1 0 100 0',
    );
    expect(stats).toEqual({
      pid: 4711,
      parentPid: 42,
      command: 'odd) name (x',
      cpuSeconds: 2,
      endedChildrenCpuSeconds: 0.25,
      residentBytes: 250 * 4096,
    });
  });

  it.skipIf(process.platform !== 'linux')('finds a real child and its end (needs /proc)', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(child, 'spawn');
    const pid = child.pid as number;
    expect(readChildren(process.pid).map((stats) => stats.pid)).toContain(pid);
    child.stdin?.end();
    await once(child, 'close');
    expect(readProcess(pid)).toBeNull();
  });
});

describe('parsePrometheusText', () => {
  it('reads names, labels and values and sums over labels', () => {
    const samples = parsePrometheusText(
      '# HELP x y\nx_total{camera="a",reason="st\\"ale"} 3\nx_total{camera="b",reason="b"} 4.5\ny 1e3\nz_bucket{le="+Inf"} 2\n',
    );
    expect(samples).toHaveLength(4);
    expect(sumOf(samples, 'x_total')).toBe(7.5);
    expect(sumOf(samples, 'x_total', { camera: 'b' })).toBe(4.5);
    expect(sumOf(samples, 'nothing')).toBe(0);
  });
});

describe('percentile', () => {
  it('takes the nearest rank', () => {
    expect(percentile([5, 1, 3, 2, 4], 0.5)).toBe(3);
    expect(percentile([1, 2], 0.99)).toBe(2);
    expect(percentile([], 0.5)).toBeNull();
  });
});
