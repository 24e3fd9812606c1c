import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathWithoutSetpriv } from '../../scripts/measure-orphans/owners.js';
import { settleEngine } from '../../src/assemble-engine.js';
import type { EnginesReport } from '../../src/bench/compare-engines.js';
import type { MachineReport } from '../../src/cli/doctor/examine-machine.js';
import { configSchema } from '../../src/config/schema.js';
import { providerLibrary } from '../../src/inference/engine-packages.js';
import { readInstalledEngines } from '../../src/inference/machine-facts.js';
import { readNvidiaGpus } from '../../src/lib/nvidia.js';
import type { Log } from '../../src/observability/logging.js';
import { defaultPackageDir, linkedBuild } from '../../src/setup/native-store.js';
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
    const { detection, classification } = configSchema.parse({});
    if (existsSync('/usr/bin/setpriv'))
      expect(find(report, 'ffmpeg')!.detail).toContain('ended by the kernel when its owner dies');
    for (const name of ['machine', 'ffmpeg', `model ${detection.model}`, `model ${classification.model}`])
      expect(find(report, name)).toMatchObject({ state: 'ok' });
    expect(find(report, 'Node.js')).toMatchObject({ state: 'ok', detail: process.versions.node });
    expect(find(report, 'engine onnxruntime (cpu)')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/^version 1\.\d+\.\d+, loaded in .* ONNX Runtime loads on this CPU$/),
    });
    expect(find(report, 'engine tfjs (wasm)')).toMatchObject({ state: 'ok' });
    expect(find(report, 'engine: auto')).toMatchObject({
      state: 'absent',
      remedy: expect.stringContaining('maskwatch bench engines'),
    });
    expect(existsSync(join(home, 'new')), 'it changes nothing').toBe(false);
  });

  it.skipIf(readInstalledEngines().onnxruntime === null)(
    'says where the library of each provider that is not there would have to lie',
    async () => {
      const report = JSON.parse((await runCli(['doctor', '--json'])).stdout) as MachineReport;
      const { hasCudaProvider, hasTensorRtProvider } = readInstalledEngines();
      for (const [provider, isThere] of [
        ['cuda', hasCudaProvider],
        ['tensorrt', hasTensorRtProvider],
      ] as const)
        if (!isThere)
          expect(find(report, `engine onnxruntime (${provider})`)).toMatchObject({
            state: 'absent',
            detail: expect.stringContaining(providerLibrary(provider) ?? '?'),
            remedy: expect.stringMatching(/ONNXRUNTIME_NODE_INSTALL|Linux on x64 only/),
          });
    },
  );

  it.skipIf(readInstalledEngines().native === null)(
    'says of native TensorFlow which one it is and what for (where `setup tensorflow` has been run)',
    async () => {
      const report = JSON.parse((await runCli(['doctor', '--json'])).stdout) as MachineReport;
      const build = linkedBuild(defaultPackageDir());
      const { state, detail } = find(report, 'engine tfjs (native)')!;
      if (build) expect(detail).toContain(`with TensorFlow ${build.marker.tensorflow} `);
      expect(detail).toMatch(/^version 4\.\d+\.\d+, loaded in .*@tensorflow\/tfjs-node(-gpu)? loads/);
      expect(detail).toContain(build?.marker.variant === 'cpu' ? 'built for CPUs' : 'built');
      if (!readNvidiaGpus().isPresent) {
        expect(detail).toMatch(/it sees no GPU$/);
        expect(state).toBe('ok');
      }
    },
  );

  it.skipIf(process.platform !== 'linux')('says what ends ffmpeg with its owner (Linux)', async () => {
    const { stdout } = await runCli(['doctor'], { env: { PATH: await pathWithoutSetpriv(home) } });
    expect(stdout).toMatch(/^ok {7}ffmpeg: .*, ended by a guardian process when its owner dies: /m);
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
        measurement: {
          figures: expect.arrayContaining([
            expect.objectContaining({ engine: 'onnxruntime', ranOn: 'cpu', msPerCrop: expect.any(Number) }),
          ]),
        },
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
    const { code, stdout } = await runCli(['bench', 'engines', '--seconds', '0.1', '--json']);
    expect(code).toBe(0);
    const { engines, refusals, auto, machine, rounds, models, picture } = JSON.parse(stdout) as EnginesReport;
    const { detection, classification } = configSchema.parse({});
    expect(models).toEqual({ detector: detection.model, classifier: classification.model });
    expect(picture).toBe(`${detection.widthPx}×${detection.heightPx}`);
    expect(machine.cores).toBeGreaterThan(0);
    expect(rounds).toBe(3);
    const names = engines.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['onnxruntime (cpu)', 'tfjs (wasm)']));
    for (const { cropsPerSecond, best, scatter, detectMs } of engines) {
      expect(Object.keys(cropsPerSecond)).toEqual(['1', '4', '8', '16', '32', '64']);
      expect(best.cropsPerSecond).toBe(Math.max(...Object.values(cropsPerSecond)));
      expect(cropsPerSecond[best.batchSize]).toBe(best.cropsPerSecond);
      expect(scatter).toBeGreaterThanOrEqual(1);
      expect(detectMs).toBeGreaterThan(0);
    }
    const rates = engines.map(({ best }) => best.cropsPerSecond);
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    expect(engines[0]?.slowerThanBest.crop).toBe(1);
    expect(Math.min(...engines.map(({ slowerThanBest }) => slowerThanBest.picture))).toBe(1);
    for (const { best, slowerThanBest } of engines)
      expect(slowerThanBest.crop).toBeCloseTo(rates[0]! / best.cropsPerSecond, 1);
    expect(names).toContain(auto?.name);
    const { hasCudaProvider, native } = readInstalledEngines();
    const out = refusals.map(({ name }) => name);
    if (!hasCudaProvider) expect(out).toContain('onnxruntime (cuda)');
    expect([...names, ...out].some((name) => /^tfjs \((tensorflow|cpu|cuda)/.test(name))).toBe(true);
    if (native === null) expect(out).toContain('tfjs (tensorflow)');
  });

  it('is named where another one is asked for', async () => {
    const { code, stderr } = await runCli(['bench', 'engine', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'BENCH_UNKNOWN', hint: expect.stringContaining('engines') },
    });
  });
});
