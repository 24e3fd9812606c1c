import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildDashboard } from '../../grafana/dashboard.js';
import { cameraEvent, detections, type Stack, startStack } from './socket-support.js';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const hasPrometheus = has('prometheus');
const rulesFolder = fileURLToPath(new URL('../../grafana/prometheus/', import.meta.url));

interface Panel {
  readonly type: string;
  readonly title?: string;
  readonly targets?: readonly { readonly expr?: string }[];
}

/** Every query of the dashboard, with Grafana's own variables filled in. */
function dashboardQueries(): { title: string; query: string }[] {
  return (buildDashboard().panels as readonly Panel[]).flatMap((panel) =>
    (panel.targets ?? []).map(({ expr = '' }) => ({
      title: panel.title ?? '',
      query: expr.replaceAll('$camera', '.*').replaceAll('$__rate_interval', '10s'),
    })),
  );
}

/** Families whose series come only when something happens, or that have no value while nothing is counted. */
const MAY_BE_EMPTY = new Set(['Restarts of ffmpeg']);

it.skipIf(!has('promtool'))('the rules fire when they should, and not before (needs promtool)', () => {
  for (const args of [
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'rules.test.yml'],
  ]) {
    const result = spawnSync('promtool', args, { cwd: rulesFolder, encoding: 'utf8' });
    expect(result.status, result.stdout + result.stderr).toBe(0);
  }
});

describe('a real Prometheus', () => {
  let stack: Stack;
  let folder: string;
  let prometheus: ChildProcess;
  let api: string;

  async function ask(
    query: string,
  ): Promise<{ status: string; error?: string; data?: { result: unknown[] } }> {
    const response = await fetch(`${api}/api/v1/query?query=${encodeURIComponent(query)}`);
    return (await response.json()) as Awaited<ReturnType<typeof ask>>;
  }

  beforeAll(async () => {
    if (!hasPrometheus) return;
    stack = await startStack();
    beBusy(stack);
    folder = await mkdtemp(join(tmpdir(), 'maskwatch-prometheus-'));
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    await writeFile(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '1s' },
        rule_files: [join(rulesFolder, 'rules.yml')],
        scrape_configs: [
          { job_name: 'maskwatch', static_configs: [{ targets: [new URL(stack.http.url).host] }] },
        ],
      }),
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    // Two scrapes at least: a rate needs both.
    await vi.waitUntil(
      async () => {
        const answer = await ask('count_over_time(maskwatch_build_info[1m])').catch(() => null);
        const [series] = (answer?.data?.result ?? []) as { value: [number, string] }[];
        return Number(series?.value[1] ?? 0) >= 3;
      },
      { timeout: 50_000, interval: 200 },
    );
  }, 60_000);

  afterAll(async () => {
    if (!hasPrometheus) return;
    if (prometheus.exitCode === null) {
      const gone = once(prometheus, 'exit');
      prometheus.kill('SIGKILL');
      await gone;
    }
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.skipIf(!hasPrometheus)(
    'answers every panel of the dashboard, with data (needs prometheus)',
    async () => {
      const queries = dashboardQueries();
      expect(queries.length).toBeGreaterThan(30);
      const failures: string[] = [];
      for (const { title, query } of queries) {
        const answer = await ask(query);
        if (answer.status !== 'success') failures.push(`${title}: ${answer.error}: ${query}`);
        else if (!answer.data?.result.length && !MAY_BE_EMPTY.has(title))
          failures.push(`${title}: empty: ${query}`);
      }
      expect(failures).toEqual([]);
    },
  );

  it.skipIf(!hasPrometheus)('loads the rules without a fault (needs prometheus)', async () => {
    const rules = (await (await fetch(`${api}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { name: string; lastError?: string }[] }[] };
    };
    const loaded = rules.data.groups[0]?.rules ?? [];
    expect(loaded).toHaveLength(12);
    for (const rule of loaded) expect(rule.lastError ?? '', rule.name).toBe('');
  });
});

/** A little of everything, so that each panel has something to show. */
function beBusy({ metrics, bus }: Stack): void {
  for (const cameraId of ['gate', 'hall']) {
    metrics.addCamera(cameraId);
    metrics.cameraState(cameraId, 'live');
    for (let frame = 0; frame < 50; frame += 1) {
      metrics.frameDecoded(cameraId);
      metrics.frameAnalysed(cameraId, 40 + frame);
      metrics.frameAge('publish', 40 + frame);
      metrics.stageDuration('detection', 6);
      metrics.face(cameraId, frame % 5 ? 'with_mask' : 'without_mask');
    }
    metrics.cameraRestarted(cameraId, 'refused');
    bus.publish('camera', cameraEvent(cameraId));
    bus.publish('detections', detections(cameraId, 1));
  }
  metrics.addModel({
    model: 'yunet-n',
    task: 'detection',
    engine: 'onnxruntime',
    device: 'cpu',
    engineVersion: '1',
  });
  metrics.inference('yunet-n', 'onnxruntime', 6);
  metrics.batch(4, 5);
  metrics.addQueue('crops', 64, () => 3);
  metrics.setWorkersReader(() => ({ utilisation: 0.4, threads: 2, deaths: 0 }));
  metrics.clients(1);
  metrics.setReadyReader(() => true);
  metrics.degraded(false);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
