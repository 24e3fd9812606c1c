import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { Metrics } from '../../../src/observability/metrics.js';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

describe('metrics', () => {
  let clock: ManualClock;
  let metrics: Metrics;
  beforeEach(() => {
    clock = new ManualClock();
    metrics = new Metrics({ version: '1.2.3', dropReasons: ['stale', 'failed'], clock });
  });
  afterEach(() => metrics.close());

  const lines = async (start: string) =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(start));

  it('shows every known series of a camera with 0 before anything happened', async () => {
    metrics.addCamera('gate');
    expect(await lines('maskwatch_frames_dropped_total')).toEqual([
      'maskwatch_frames_dropped_total{camera="gate",reason="stale"} 0',
      'maskwatch_frames_dropped_total{camera="gate",reason="failed"} 0',
    ]);
    expect(await lines('maskwatch_faces_total')).toHaveLength(4);
    expect(await lines('maskwatch_camera_state')).toHaveLength(5);
  });

  it('counts in base units', async () => {
    metrics.addCamera('gate');
    metrics.frameDecoded('gate');
    metrics.frameAnalysed('gate', 60);
    metrics.frameDropped('gate', 'stale');
    metrics.frameAge('publish', 60);
    metrics.stageDuration('detection', 5.5);
    metrics.batch(4, 8);
    metrics.furtherLooks({ secondLooks: 3, closeUps: 2 });
    metrics.face('gate', 'not_assessable', 'blurred');
    metrics.cameraState('gate', 'stalled');
    expect(await lines('maskwatch_frames_dropped_total{camera="gate",reason="stale"}')).toEqual([
      'maskwatch_frames_dropped_total{camera="gate",reason="stale"} 1',
    ]);
    expect(await lines('maskwatch_frame_age_seconds_sum{stage="publish"}')).toEqual([
      'maskwatch_frame_age_seconds_sum{stage="publish"} 0.06',
    ]);
    expect(await lines('maskwatch_frame_age_seconds_bucket{le="0.06",stage="publish"}')).toEqual([
      'maskwatch_frame_age_seconds_bucket{le="0.06",stage="publish"} 1',
    ]);
    expect(await lines('maskwatch_stage_duration_seconds_sum{stage="detection"}')).toEqual([
      'maskwatch_stage_duration_seconds_sum{stage="detection"} 0.0055',
    ]);
    expect(await lines('maskwatch_batch_wait_seconds_sum')).toEqual([
      'maskwatch_batch_wait_seconds_sum 0.008',
    ]);
    expect(await lines('maskwatch_second_looks_total')).toEqual(['maskwatch_second_looks_total 3']);
    expect(await lines('maskwatch_close_ups_total')).toEqual(['maskwatch_close_ups_total 2']);
    expect(await lines('maskwatch_faces_not_assessable_total{camera="gate",reason="blurred"}')).toEqual([
      'maskwatch_faces_not_assessable_total{camera="gate",reason="blurred"} 1',
    ]);
    const states = await lines('maskwatch_camera_state');
    expect(states.filter((line) => line.endsWith(' 1'))).toEqual([
      'maskwatch_camera_state{camera="gate",state="stalled"} 1',
    ]);
  });

  it('tells the age of the newest frame as it is when it is read', async () => {
    metrics.addCamera('gate');
    clock.advance(3000);
    expect(await lines('maskwatch_camera_last_frame_age')).toEqual([
      'maskwatch_camera_last_frame_age_seconds{camera="gate"} 3',
    ]);
    metrics.frameDecoded('gate');
    clock.advance(250);
    expect(await lines('maskwatch_camera_last_frame_age')).toEqual([
      'maskwatch_camera_last_frame_age_seconds{camera="gate"} 0.25',
    ]);
  });

  it('forgets a camera that is gone, and does not bring it back for a late frame', async () => {
    metrics.addCamera('gate');
    metrics.addCamera('hall');
    metrics.frameDecoded('gate');
    metrics.removeCamera('gate');
    metrics.frameAnalysed('gate', 60);
    metrics.frameDropped('gate', 'stale');
    metrics.face('gate', 'with_mask');
    metrics.tracks('gate', 3);
    metrics.episodeChanged('gate', 'opened');
    metrics.cameraState('gate', 'live');
    metrics.cameraRestarted('gate', 'refused');
    const text = await metrics.text();
    expect(text).not.toContain('camera="gate"');
    expect(text).toContain('camera="hall"');
  });

  it('follows how many episodes are open', async () => {
    metrics.addCamera('gate');
    for (const change of ['closed', 'opened', 'opened', 'updated', 'acknowledged', 'closed'] as const)
      metrics.episodeChanged('gate', change);
    expect(await lines('maskwatch_episodes_open')).toEqual(['maskwatch_episodes_open{camera="gate"} 1']);
  });

  it('reads queues and workers at each scrape', async () => {
    let waiting = 2;
    metrics.addQueue('journal', 10, () => waiting);
    metrics.setWorkersReader(() => ({ utilisation: 0.5, threads: 2, deaths: 1 }));
    expect(await lines('maskwatch_queue_items{')).toEqual(['maskwatch_queue_items{queue="journal"} 2']);
    waiting = 7;
    expect(await lines('maskwatch_queue_items{')).toEqual(['maskwatch_queue_items{queue="journal"} 7']);
    expect(await lines('maskwatch_worker_utilisation_ratio')).toEqual([
      'maskwatch_worker_utilisation_ratio 0.5',
    ]);
  });

  it('counts threads that died once, however often it is read', async () => {
    let deaths = 1;
    metrics.setWorkersReader(() => ({ utilisation: 0, threads: 2, deaths }));
    expect(await lines('maskwatch_worker_deaths_total')).toEqual(['maskwatch_worker_deaths_total 1']);
    expect(await lines('maskwatch_worker_deaths_total')).toEqual(['maskwatch_worker_deaths_total 1']);
    deaths = 3;
    expect(await lines('maskwatch_worker_deaths_total')).toEqual(['maskwatch_worker_deaths_total 3']);
  });

  it('asks whether the service is ready at each scrape', async () => {
    expect(await lines('maskwatch_ready')).toEqual(['maskwatch_ready 0']);
    let isReady = true;
    metrics.setReadyReader(() => isReady);
    expect(await lines('maskwatch_ready')).toEqual(['maskwatch_ready 1']);
    isReady = false;
    expect(await lines('maskwatch_ready')).toEqual(['maskwatch_ready 0']);
  });

  it('shows no faces followed on a camera that is not live, also when its last frame is late', async () => {
    metrics.addCamera('gate');
    metrics.cameraState('gate', 'live');
    metrics.tracks('gate', 3);
    expect(await lines('maskwatch_tracks{')).toEqual(['maskwatch_tracks{camera="gate"} 3']);
    metrics.cameraState('gate', 'stalled');
    metrics.tracks('gate', 3);
    expect(await lines('maskwatch_tracks{')).toEqual(['maskwatch_tracks{camera="gate"} 0']);
  });

  it('knows the latency of each camera', async () => {
    metrics.addCamera('gate');
    metrics.addCamera('hall');
    metrics.frameAnalysed('gate', 60);
    expect(await lines('maskwatch_frame_latency_seconds_sum')).toEqual([
      'maskwatch_frame_latency_seconds_sum{camera="gate"} 0.06',
      'maskwatch_frame_latency_seconds_sum{camera="hall"} 0',
    ]);
  });

  it('has series of losses only for what can be lost', async () => {
    expect(await lines('maskwatch_messages_dropped_total')).toEqual(
      ['detections', 'picture', 'stats'].map(
        (event) => `maskwatch_messages_dropped_total{event="${event}"} 0`,
      ),
    );
  });

  it('is documented, every family of it and nothing else', async () => {
    const families = [...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    const documented = [
      ...readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8').matchAll(
        /^\| `(maskwatch_[a-z0-9_]+)`/gm,
      ),
    ].map((match) => match[1]);
    expect(documented.sort()).toEqual(families.sort());
  });

  it.skipIf(!hasPromtool)('has nothing that promtool objects to (needs promtool)', async () => {
    metrics.addCamera('gate');
    metrics.addQueue('journal', 10, () => 0);
    metrics.addModel({
      model: 'yunet-n',
      task: 'detection',
      engine: 'onnxruntime',
      device: 'cpu',
      engineVersion: '1.30.0',
    });
    metrics.setWorkersReader(() => ({ utilisation: 0.5, threads: 2, deaths: 1 }));
    metrics.frameAge('publish', 60);
    const result = spawnSync('promtool', ['check', 'metrics'], {
      input: await metrics.text(),
      encoding: 'utf8',
    });
    expect(result.stdout + result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
