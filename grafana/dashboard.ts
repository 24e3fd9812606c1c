import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { curve, figure } from './panels.js';

/*
 * The overview of one Maskwatch, as code; grafana/dashboards/maskwatch-overview.json is made of it by
 * `npm run generate`. Families and labels: docs/metrics.md. A test puts every query to a real Prometheus.
 */

const CAMERA = '{camera=~"$camera"}';
/** Share of due frames of the last five minutes that were analysed. */
const ANALYSED_RATIO = `sum(rate(maskwatch_frames_analysed_total${CAMERA}[5m])) / sum(rate(maskwatch_frames_decoded_total${CAMERA}[5m]))`;

const quantile = (q: number, family: string, by: string) =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${family}_bucket[$__rate_interval])))`;

export function buildDashboard(): Dashboard {
  return new DashboardBuilder('Maskwatch')
    .uid('maskwatch-overview')
    .description('Cameras, latency, drops, faces, episodes and clients of one Maskwatch.')
    .tags(['maskwatch'])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('camera')
        .label('Camera')
        .datasource({ type: 'prometheus', uid: '$datasource' })
        .query('label_values(maskwatch_frames_decoded_total, camera)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      figure(
        {
          title: 'Cameras not live',
          description: 'What they do not see is not compliance.',
          unit: 'short',
        },
        [
          `count(maskwatch_camera_state{state!~"live|disabled", camera=~"$camera"} == 1) or vector(0)`,
          'not live',
        ],
        { above: 1 },
      ),
    )
    .withPanel(
      figure(
        { title: 'Cameras live', description: 'Cameras that deliver frames.', unit: 'short' },
        [`sum(maskwatch_camera_state{state="live", camera=~"$camera"})`, 'live'],
        { below: 1 },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Due frames analysed',
          description: 'Over five minutes. Below 99 % there is more to do than this machine can.',
          unit: 'percentunit',
        },
        [ANALYSED_RATIO, 'analysed'],
        { below: 0.99 },
      ),
    )
    .withPanel(
      figure(
        {
          title: 'Latency, 95 %',
          description: 'From ffmpeg to publication, over five minutes. The aim is 200 ms for 99 %.',
          unit: 's',
        },
        [
          'histogram_quantile(0.95, sum by (le) (rate(maskwatch_frame_age_seconds_bucket{stage="publish"}[5m])))',
          'p95',
        ],
        { above: 0.2 },
      ),
    )
    .withPanel(
      figure({ title: 'Open episodes', description: 'Episodes open now.', unit: 'short' }, [
        `sum(maskwatch_episodes_open${CAMERA})`,
        'open',
      ]),
    )
    .withPanel(
      figure({ title: 'Clients', description: 'Connected Socket.IO clients.', unit: 'short' }, [
        'sum(maskwatch_clients_connected)',
        'clients',
      ]),
    )
    .withRow(new RowBuilder('Cameras'))
    .withPanel(
      curve(
        {
          title: 'State',
          description: '1 while a camera is live. Gaps are blind minutes.',
          unit: 'short',
        },
        [[`maskwatch_camera_state{state="live", camera=~"$camera"}`, '{{camera}}']],
        { max: 1 },
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Age of the last frame',
          description: 'Rises for as long as a camera delivers nothing.',
          unit: 's',
        },
        [[`maskwatch_camera_last_frame_age_seconds${CAMERA}`, '{{camera}}']],
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Restarts of ffmpeg',
          description: 'Runs that ended, in each five minutes, by reason.',
          unit: 'short',
        },
        [
          [
            `sum by (camera, reason) (increase(maskwatch_camera_restarts_total${CAMERA}[5m])) > 0`,
            '{{camera}} {{reason}}',
          ],
        ],
      ),
    )
    .withPanel(
      curve({ title: 'Frames analysed', description: 'Per second and camera.', unit: 'short' }, [
        [`rate(maskwatch_frames_analysed_total${CAMERA}[$__rate_interval])`, '{{camera}}'],
      ]),
    )
    .withPanel(
      curve(
        {
          title: 'Frames dropped',
          description:
            'Per second, by reason. `stale`: too little computing power; `no_buffer`: the path holds frames too long.',
          unit: 'short',
        },
        [[`sum by (reason) (rate(maskwatch_frames_dropped_total${CAMERA}[$__rate_interval]))`, '{{reason}}']],
        { isStacked: true },
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Share of due frames analysed',
          description: 'Per camera. Under overload every camera should lose the same share.',
          unit: 'percentunit',
        },
        [
          [
            `rate(maskwatch_frames_analysed_total${CAMERA}[$__rate_interval]) / rate(maskwatch_frames_decoded_total${CAMERA}[$__rate_interval])`,
            '{{camera}}',
          ],
        ],
        { max: 1 },
      ),
    )
    .withRow(new RowBuilder('The path'))
    .withPanel(
      curve(
        { title: 'Latency', description: 'From ffmpeg to publication.', unit: 's' },
        [0.5, 0.95, 0.99].map((q) => [
          `histogram_quantile(${q}, sum by (le) (rate(maskwatch_frame_age_seconds_bucket{stage="publish"}[$__rate_interval])))`,
          `p${q * 100}`,
        ]),
      ),
    )
    .withPanel(
      curve({ title: 'Latency per camera, 95 %', description: 'From ffmpeg to publication.', unit: 's' }, [
        [
          `histogram_quantile(0.95, sum by (le, camera) (rate(maskwatch_frame_latency_seconds_bucket${CAMERA}[$__rate_interval])))`,
          '{{camera}}',
        ],
      ]),
    )
    .withPanel(
      curve({ title: 'Age on entering a stage, 95 %', description: 'Where the time goes.', unit: 's' }, [
        [quantile(0.95, 'maskwatch_frame_age_seconds', 'le, stage'), '{{stage}}'],
      ]),
    )
    .withPanel(
      curve({ title: 'Duration of stages, 95 %', description: 'Waiting for a worker included.', unit: 's' }, [
        [quantile(0.95, 'maskwatch_stage_duration_seconds', 'le, stage'), '{{stage}}'],
      ]),
    )
    .withPanel(
      curve({ title: 'Inference, 95 %', description: 'Time that a model runs.', unit: 's' }, [
        [quantile(0.95, 'maskwatch_inference_duration_seconds', 'le, model'), '{{model}}'],
      ]),
    )
    .withPanel(
      curve(
        {
          title: 'Micro-batches',
          description: 'Mean number of crops, and how long the first one waited (95 %, ms).',
          unit: 'short',
        },
        [
          [
            'sum(rate(maskwatch_batch_size_crops_sum[$__rate_interval])) / sum(rate(maskwatch_batch_size_crops_count[$__rate_interval]))',
            'crops',
          ],
          [`1000 * ${quantile(0.95, 'maskwatch_batch_wait_seconds', 'le')}`, 'wait, ms'],
        ],
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Workers and queues',
          description: 'How busy the inference workers are, and how full each queue is.',
          unit: 'percentunit',
        },
        [
          ['maskwatch_worker_utilisation_ratio', 'workers'],
          ['maskwatch_queue_items / maskwatch_queue_capacity_items', 'queue {{queue}}'],
        ],
        { max: 1 },
      ),
    )
    .withRow(new RowBuilder('What was seen'))
    .withPanel(
      curve(
        { title: 'Faces by outcome', description: 'Per second: faces told, not people.', unit: 'short' },
        [[`sum by (outcome) (rate(maskwatch_faces_total${CAMERA}[$__rate_interval]))`, '{{outcome}}']],
        { isStacked: true },
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Share that could be judged',
          description: 'Per camera. A low share: the camera is badly placed, dirty, or out of focus.',
          unit: 'percentunit',
        },
        [
          [
            `sum by (camera) (rate(maskwatch_faces_total{outcome!="not_assessable", camera=~"$camera"}[$__rate_interval])) / sum by (camera) (rate(maskwatch_faces_total${CAMERA}[$__rate_interval]))`,
            '{{camera}}',
          ],
        ],
        { max: 1 },
      ),
    )
    .withPanel(
      curve(
        { title: 'Why not', description: 'Faces that could not be judged, per second.', unit: 'short' },
        [
          [
            `sum by (reason) (rate(maskwatch_faces_not_assessable_total${CAMERA}[$__rate_interval]))`,
            '{{reason}}',
          ],
        ],
        { isStacked: true },
      ),
    )
    .withPanel(
      curve({ title: 'Faces followed', description: 'Tracks per camera.', unit: 'short' }, [
        [`maskwatch_tracks${CAMERA}`, '{{camera}}'],
      ]),
    )
    .withPanel(
      curve({ title: 'Open episodes', description: 'Per camera.', unit: 'short' }, [
        [`maskwatch_episodes_open${CAMERA}`, '{{camera}}'],
      ]),
    )
    .withPanel(
      curve({ title: 'Changes of episodes', description: 'In each hour, by kind.', unit: 'short' }, [
        [`sum by (change) (increase(maskwatch_episode_changes_total${CAMERA}[1h]))`, '{{change}}'],
      ]),
    )
    .withRow(new RowBuilder('What is told, and the service'))
    .withPanel(
      curve({ title: 'Messages', description: 'Sent to clients, per second.', unit: 'short' }, [
        ['sum by (event) (rate(maskwatch_messages_sent_total[$__rate_interval]))', '{{event}}'],
      ]),
    )
    .withPanel(
      curve(
        {
          title: 'Lost on the way',
          description: 'Per second: volatile messages replaced by newer ones, clients refused, failures.',
          unit: 'short',
        },
        [
          ['sum by (event) (rate(maskwatch_messages_dropped_total[$__rate_interval]))', 'replaced {{event}}'],
          ['sum by (reason) (rate(maskwatch_clients_refused_total[$__rate_interval]))', 'refused {{reason}}'],
          ['sum by (sink) (rate(maskwatch_publish_failures_total[$__rate_interval]))', 'failed {{sink}}'],
          ['sum by (model) (rate(maskwatch_inference_failures_total[$__rate_interval]))', 'failed {{model}}'],
          ['sum by (queue) (rate(maskwatch_queue_dropped_total[$__rate_interval]))', 'full {{queue}}'],
        ],
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Main thread',
          description: 'Delay of its timers. Above 50 ms somebody blocks it.',
          unit: 's',
        },
        [['maskwatch_event_loop_lag_seconds', '{{statistic}}']],
      ),
    )
    .withPanel(
      curve(
        {
          title: 'CPU',
          description: 'Cores in use, and the main thread. ffmpeg is not in it.',
          unit: 'short',
        },
        [
          ['rate(maskwatch_process_cpu_seconds_total[$__rate_interval])', 'service'],
          ['maskwatch_event_loop_utilisation_ratio', 'main thread'],
        ],
      ),
    )
    .withPanel(
      curve(
        {
          title: 'Memory',
          description: 'ffmpeg is not in it. It must not grow from day to day.',
          unit: 'bytes',
        },
        [
          ['maskwatch_process_resident_memory_bytes', 'resident'],
          ['maskwatch_process_heap_used_bytes', 'heap'],
          ['maskwatch_process_external_memory_bytes', 'buffers'],
        ],
      ),
    )
    .withPanel(
      curve(
        { title: 'Ready, degraded', description: '1 or 0.', unit: 'short' },
        [
          ['maskwatch_ready', 'ready'],
          ['maskwatch_degraded', 'degraded'],
        ],
        { max: 1 },
      ),
    )
    .build();
}

/** The text of grafana/dashboards/maskwatch-overview.json. */
export function dashboardJson(): string {
  return `${JSON.stringify(buildDashboard(), null, 2)}\n`;
}
