import { type ProcessStats, readChildren, readProcess } from './process-stats.js';
import { type MetricSample, parsePrometheusText, sumOf } from './prometheus-text.js';

/** What the service and the kernel have counted at one moment. */
export interface Reading {
  readonly atMs: number;
  readonly samples: readonly MetricSample[];
  readonly service: ProcessStats;
  readonly ffmpeg: readonly ProcessStats[];
}

export async function readService(url: string, pid: number): Promise<Reading> {
  const response = await fetch(`${url}/metrics`);
  const samples = parsePrometheusText(await response.text());
  const service = readProcess(pid);
  if (!service) throw new Error('the service is gone');
  return { atMs: performance.now(), samples, service, ffmpeg: readChildren(pid) };
}

/** The difference between two readings in the words of the report. */
export function compareReadings(before: Reading, after: Reading) {
  const rise = (name: string, where: Readonly<Record<string, string>> = {}) =>
    sumOf(after.samples, name, where) - sumOf(before.samples, name, where);
  const reasons = new Set(
    after.samples
      .filter(({ name }) => name === 'maskwatch_frames_dropped_total')
      .map(({ labels }) => labels.reason),
  );
  const ffmpegCpu = (reading: Reading) =>
    reading.ffmpeg.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) +
    reading.service.endedChildrenCpuSeconds;
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    analysed: rise('maskwatch_frames_analysed_total'),
    decoded: rise('maskwatch_frames_decoded_total'),
    dropped: Object.fromEntries(
      [...reasons].flatMap((reason) => {
        const count = reason === undefined ? 0 : rise('maskwatch_frames_dropped_total', { reason });
        return reason !== undefined && count > 0 ? [[reason, count]] : [];
      }),
    ) as Record<string, number>,
    crops: rise('maskwatch_batch_size_crops_sum'),
    secondLooks: rise('maskwatch_second_looks_total'),
    closeUps: rise('maskwatch_close_ups_total'),
    batches: rise('maskwatch_batch_size_crops_count'),
    serviceCpuSeconds: after.service.cpuSeconds - before.service.cpuSeconds,
    ffmpegCpuSeconds: ffmpegCpu(after) - ffmpegCpu(before),
    restarts: rise('maskwatch_camera_restarts_total'),
  };
}
