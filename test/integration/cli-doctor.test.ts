import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settleEngine } from '../../src/assemble-engine.js';
import type { EnginesReport } from '../../src/bench/compare-engines.js';
import type { MachineReport } from '../../src/cli/doctor/examine-machine.js';
import { configSchema } from '../../src/config/schema.js';
import type { Log } from '../../src/observability/logging.js';
import { runCli } from '../support/run-cli.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'maskwatch-doctor-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const find = ({ findings }: MachineReport, name: string) =>
  findings.find((finding) => finding.name.startsWith(name));

describe('maskwatch doctor', () => {
  it('says that a whole installation can run, and what else there might be', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], {
      env: { XDG_CACHE_HOME: join(home, 'new') },
    });
    const report = JSON.parse(stdout) as MachineReport;
    expect(code).toBe(0);
    expect(report.ok).toBe(true);
    for (const name of ['machine', 'ffmpeg', 'model yunet-mask', 'model mask-mobilenetv2'])
      expect(find(report, name)).toMatchObject({ state: 'ok' });
    expect(find(report, 'engine onnxruntime (cpu)')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/^version 1\.\d+\.\d+ on cpu, loaded in /),
    });
    expect(find(report, 'engine tfjs (wasm)')).toMatchObject({ state: 'ok' });
    expect(find(report, 'engine: auto')).toMatchObject({ state: 'absent' });
  });

  it('exits with 3 and a remedy when something is missing, and tells the rest all the same', async () => {
    const { code, stdout } = await runCli(['doctor'], { env: { FFMPEG_PATH: join(home, 'no-ffmpeg') } });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^PROBLEM {2}ffmpeg: There is no ffmpeg at .*no-ffmpeg\n {9}→ .+$/m);
    expect(stdout).toMatch(/^ok {7}engine onnxruntime \(cpu\): /m);
    expect(stdout).toMatch(/maskwatch cannot run here as it is\n$/);
  });
});

describe('engine: auto', () => {
  it('is measured by the first service and remembered for the next, as doctor tells', async () => {
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(home, 'measured');
    const told: string[] = [];
    const log = { info: (text: unknown) => void told.push(String(text)) } as unknown as Log;
    try {
      const config = configSchema.parse({});
      const first = await settleEngine(config, log);
      expect(told).toEqual([expect.stringContaining('measuring the inference engines')]);
      const second = await settleEngine(config, log);
      expect(told).toHaveLength(1);
      expect(second.workerOptions.engine).toBe(first.workerOptions.engine);
      expect(first.workerOptions.chosenBecause).toMatch(/measured now: .*onnxruntime \(cpu\) [\d.]+ ms/);
      expect(second.workerOptions.chosenBecause).toContain('and remembered');
      const { stdout } = await runCli(['doctor', '--json'], {
        env: { XDG_CACHE_HOME: join(home, 'measured') },
      });
      expect(find(JSON.parse(stdout), 'engine: auto')).toMatchObject({
        state: 'ok',
        detail: second.workerOptions.chosenBecause,
      });
    } finally {
      process.env.XDG_CACHE_HOME = before;
    }
  });

  it('is not asked when an engine is named', async () => {
    const log = { info: () => expect.unreachable('nothing is to be measured') } as unknown as Log;
    const { workerOptions } = await settleEngine(
      configSchema.parse({ inference: { engine: 'tfjs', device: 'wasm' } }),
      log,
    );
    expect(workerOptions).toMatchObject({ engine: 'tfjs', device: 'wasm' });
    expect(workerOptions.chosenBecause).toBeUndefined();
  });
});

describe('maskwatch bench engines', () => {
  it('times each engine at each size and says which one auto takes', async () => {
    const { code, stdout } = await runCli(['bench', 'engines', '--seconds', '1', '--json']);
    expect(code).toBe(0);
    const { engines, auto, machine } = JSON.parse(stdout) as EnginesReport;
    expect(machine.cores).toBeGreaterThan(0);
    expect(engines.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['onnxruntime (cpu)', 'tfjs (wasm)']),
    );
    for (const { cropsPerSecond, best, slowerThanBest } of engines) {
      expect(Object.keys(cropsPerSecond)).toEqual(['1', '4', '8', '16', '32', '64']);
      expect(best.cropsPerSecond).toBe(Math.max(...Object.values(cropsPerSecond)));
      expect(slowerThanBest).toBeGreaterThanOrEqual(1);
    }
    expect(engines[0]?.slowerThanBest).toBe(1);
    expect(engines.some(({ name, ranOn }) => auto?.startsWith(`${name.split(' ')[0]} (${ranOn})`))).toBe(
      true,
    );
  });

  it('is named where another one is asked for', async () => {
    const { code, stderr } = await runCli(['bench', 'engine', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'BENCH_UNKNOWN', hint: expect.stringContaining('engines') },
    });
  });
});
