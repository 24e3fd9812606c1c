import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { LOOKS_IN_DOUBT } from '../../workers/protocol.js';
import { configSchema } from '../config/schema.js';
import { readManifest } from '../inference/manifest.js';
import { findFfmpeg } from '../ingest/ffmpeg-binary.js';
import { systemClock } from '../lib/clock.js';
import { modelsDir, packageRoot, packageVersion } from '../lib/package-paths.js';
import { percentile } from '../lib/percentile.js';
import type { DetectionsPayload, StatsPayload } from '../publish/events.js';
import { measureBareDecode } from './bare-decode.js';
import { siblingScript, startChild } from './child-entry.js';
import { describeMachine, type MachineDescription } from './machine-description.js';
import { compareReadings, readService } from './service-readings.js';
import { watchedSleep } from './watched-sleep.js';

export interface BenchOptions {
  readonly cameras: number;
  readonly seconds: number;
  /** Analysed frames per second and camera. */
  readonly rateFps: number;
  readonly engine: 'auto' | 'onnxruntime' | 'tfjs';
  readonly signal: AbortSignal;
  /** Told what is being done. */
  readonly onPhase: (phase: string) => void;
  /** Told of the longer waits within a phase. */
  readonly onProgress?: (doneSeconds: number, totalSeconds: number) => void;
}

/** CONTRACTS.md, `bench`; CPU in seconds over the measured time, latency from leaving ffmpeg to the client. */
export interface BenchReport {
  readonly machine: MachineDescription;
  readonly versions: { maskwatch: string; node: string; ffmpeg: string; engine: string };
  readonly cameras: number;
  readonly seconds: number;
  readonly frames: {
    due: number;
    analysed: number;
    ratio: number;
    dropped: Record<string, number>;
    cropsClassified: number;
    /** Of those, how many were in doubt and went through the classifier three times more. */
    secondLooks: number;
    /** Of those, how many the detector looked at once more. */
    closeUps: number;
    restarts: number;
  };
  readonly latencyMs: { p50: number; p95: number; p99: number; max: number };
  readonly cpuSeconds: { service: number; ffmpeg: number; total: number };
  readonly bareCpuSeconds: { decode: number; detection: number; classification: number; total: number };
  readonly efficiency: number;
  readonly rssBytes: { service: number; ffmpegPerCamera: number };
}

/** Cameras connect, workers warm up, tracks settle. */
const SETTLE_MS = 5000;
const LIVE_TIMEOUT_MS = 60_000;

/**
 * Runs the service as a process of its own on simulated cameras of another process, with a real Socket.IO
 * client, then the bare parts alone, and compares. Needs Linux (/proc). Throws `AppError` BENCH_*.
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { cameras: count, seconds, rateFps, signal, onPhase } = options;
  const sleep = watchedSleep(systemClock, signal, (done, total) => options.onProgress?.(done, total));
  const binary = await findFfmpeg();
  onPhase(`starting ${count} simulated cameras`);
  const cameras = await startChild<{
    cameras: { id: string; name: string; url: string }[];
    credentials: { username: string; password: string };
  }>(siblingScript('cameras-process'), [JSON.stringify({ count })], { signal, stop: 'stdin' });
  let folder: string | null = null;
  try {
    folder = await mkdtemp(join(tmpdir(), 'maskwatch-bench-'));
    const { username, password } = cameras.said.credentials;
    const configFile = join(folder, 'bench.yaml');
    // JSON is YAML; the password is that of simulated cameras on loopback, made for this run.
    const config = {
      cameras: cameras.said.cameras.map((camera) => ({ ...camera, username, password })),
      analysis: { rateFps },
      inference: { engine: options.engine },
      store: { path: ':memory:' },
      logging: { level: 'warn', format: 'json' },
    };
    await writeFile(configFile, JSON.stringify(config), { mode: 0o600 });
    onPhase('starting the service');
    const service = await startChild<{ url: string; pid: number }>(
      join(packageRoot(), 'bin', 'maskwatch.js'),
      ['serve', '--config', configFile, '--port', '0'],
      { signal, stop: 'SIGTERM' },
    );
    let measured: Awaited<ReturnType<typeof measureService>>;
    try {
      measured = await measureService(service.said, { ...options, sleep });
    } finally {
      await service.close();
    }

    onPhase(`decoding the same streams to nothing, ${seconds} s`);
    const urls = cameras.said.cameras.map(({ url }) => withCredentials(url, username, password));
    const decode = await measureBareDecode(binary.path, urls, seconds, { sleep, warmUpMs: SETTLE_MS });
    const defaults = configSchema.parse({});
    const classifierDir = join(modelsDir(), defaults.classification.model);
    const { faceWeights } = await readManifest(classifierDir);
    // Each close-up goes with a crop of what is around the box, where that is weighed.
    const contexts = faceWeights?.closeUp?.context === undefined ? 0 : measured.closeUps;
    const classifications = measured.crops + LOOKS_IN_DOUBT * measured.secondLooks + contexts;
    onPhase(`running the bare models on ${measured.analysed} pictures and ${classifications} crops`);
    const bare = await startChild<{ detectionSeconds: number; classificationSeconds: number }>(
      siblingScript('bare-models-process'),
      [
        JSON.stringify({
          detectorDir: join(modelsDir(), defaults.detection.model),
          classifierDir,
          widthPx: defaults.detection.widthPx,
          heightPx: defaults.detection.heightPx,
          detections: measured.analysed,
          closeUps: measured.closeUps,
          classifications,
          engine: options.engine,
        }),
      ],
      { signal, stop: 'stdin' },
    );
    await bare.close();
    const { detectionSeconds: detection, classificationSeconds: classification } = bare.said;
    const bareTotal = decode + detection + classification;
    const total = measured.serviceCpuSeconds + measured.ffmpegCpuSeconds;
    // The readings cut the stream anywhere between two frames: each camera may have one more than its share.
    const due = Math.max(Math.round(count * rateFps * measured.seconds), measured.analysed);
    return {
      machine: describeMachine(),
      versions: {
        maskwatch: packageVersion(),
        node: process.versions.node,
        ffmpeg: binary.version,
        engine: measured.engine,
      },
      cameras: count,
      seconds: fixed(measured.seconds, 2),
      frames: {
        due,
        analysed: measured.analysed,
        ratio: fixed(measured.analysed / due, 4),
        dropped: measured.dropped,
        cropsClassified: measured.crops,
        secondLooks: measured.secondLooks,
        closeUps: measured.closeUps,
        restarts: measured.restarts,
      },
      latencyMs: measured.latencyMs,
      cpuSeconds: {
        service: fixed(measured.serviceCpuSeconds, 2),
        ffmpeg: fixed(measured.ffmpegCpuSeconds, 2),
        total: fixed(total, 2),
      },
      bareCpuSeconds: {
        decode: fixed(decode, 2),
        detection: fixed(detection, 2),
        classification: fixed(classification, 2),
        total: fixed(bareTotal, 2),
      },
      efficiency: fixed(bareTotal / total, 3),
      rssBytes: measured.rssBytes,
    };
  } finally {
    await cameras.close();
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

async function measureService(
  service: { url: string; pid: number },
  options: BenchOptions & { sleep: (ms: number) => Promise<void> },
) {
  const { cameras: count, seconds, onPhase, sleep } = options;
  const client = io(service.url, { transports: ['websocket'] });
  const latencies: number[] = [];
  let isMeasuring = false;
  let stats: StatsPayload | null = null;
  client.on('detections', (payload: DetectionsPayload) => {
    if (isMeasuring) latencies.push(systemClock.wallMs() - Date.parse(payload.capturedAt));
  });
  client.on('stats', (payload: StatsPayload) => {
    stats = payload;
  });
  try {
    onPhase('waiting until every camera is live');
    const reply = (await client.timeout(LIVE_TIMEOUT_MS).emitWithAck('subscribe', { cameras: 'all' })) as {
      ok: boolean;
    };
    if (!reply.ok) throw new Error('the service did not accept the subscription');
    const deadlineMs = systemClock.monotonicMs() + LIVE_TIMEOUT_MS;
    while ((stats as StatsPayload | null)?.cameras.live !== count) {
      if (systemClock.monotonicMs() > deadlineMs) throw new Error(`not all ${count} cameras became live`);
      await sleep(200);
    }
    await sleep(SETTLE_MS);
    onPhase(`measuring for ${seconds} s`);
    const before = await readService(service.url, service.pid);
    isMeasuring = true;
    await sleep(seconds * 1000);
    isMeasuring = false;
    const after = await readService(service.url, service.pid);
    const ffmpegBytes = after.ffmpeg.map(({ residentBytes }) => residentBytes);
    const at = (share: number) => fixed(percentile(latencies, share) ?? 0, 1);
    return {
      ...compareReadings(before, after),
      engine: (stats as StatsPayload | null)?.engine ?? 'unknown',
      latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
      rssBytes: {
        service: after.service.residentBytes,
        ffmpegPerCamera: Math.round(
          ffmpegBytes.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, ffmpegBytes.length),
        ),
      },
    };
  } finally {
    client.close();
  }
}

function withCredentials(url: string, username: string, password: string): string {
  return url.replace('rtsp://', `rtsp://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`);
}

function fixed(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
