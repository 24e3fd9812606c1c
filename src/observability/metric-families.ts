import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/*
 * Every metric family in one place; docs/metrics.md explains them. Prefix `maskwatch_`, base units, bounded
 * labels. Buckets lie around the targets of PRODUCT: frame to client p50 60 ms and p99 200 ms, detection
 * 5–30 ms, a crop 1–5 ms.
 */

/** Where something is told or kept. Label `sink`. */
export const METRIC_SINKS = ['store', 'socket', 'picture'] as const;
export type MetricSink = (typeof METRIC_SINKS)[number];

/** Socket.IO events that the server sends. Label `event`. */
export const METRIC_EVENTS = [
  'detections',
  'picture',
  'episode',
  'camera',
  'camera:removed',
  'stats',
] as const;
export type MetricEvent = (typeof METRIC_EVENTS)[number];
/** Of these, the ones that a newer one may replace. */
export const VOLATILE_METRIC_EVENTS = ['detections', 'picture', 'stats'] as const;
export type VolatileMetricEvent = (typeof VOLATILE_METRIC_EVENTS)[number];

/** Why a client was refused or sent away. Label `reason`. */
export const CLIENT_REFUSAL_REASONS = [
  'origin',
  'unauthorized',
  'expired',
  'slow',
  'too_many',
  'rate_limited',
  'invalid_request',
] as const;
export type ClientRefusalReason = (typeof CLIENT_REFUSAL_REASONS)[number];

const AGE_BUCKETS = [0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5];
const DURATION_BUCKETS = [
  0.0002, 0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.02, 0.03, 0.05, 0.1, 0.25, 1,
];
const WAIT_BUCKETS = [0.001, 0.002, 0.004, 0.008, 0.012, 0.02, 0.05, 0.1, 0.25, 1];
const BATCH_BUCKETS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

export type MetricFamilies = ReturnType<typeof defineFamilies>;

/** Makes all families on a registry of their own. */
export function defineFamilies(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `maskwatch_${name}`, help, labelNames, registers });
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: `maskwatch_${name}`, help, labelNames, registers });
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) => new Histogram<L>({ name: `maskwatch_${name}`, help, buckets, labelNames, registers });

  return {
    framesDecoded: counter('frames_decoded_total', 'Frames that left ffmpeg.', ['camera']),
    framesAnalysed: counter('frames_analysed_total', 'Frames that went the whole path.', ['camera']),
    framesDropped: counter('frames_dropped_total', 'Due frames that were not analysed, by reason.', [
      'camera',
      'reason',
    ]),
    cameraState: gauge('camera_state', '1 for the state that the camera is in, 0 for the others.', [
      'camera',
      'state',
    ]),
    cameraLastFrameAge: gauge(
      'camera_last_frame_age_seconds',
      'Age of the newest decoded frame; before the first, time since the camera was added.',
      ['camera'],
    ),
    cameraCondition: gauge(
      'camera_condition',
      '1 for what is wrong with the picture of the camera, 0 for what is not.',
      ['camera', 'condition'],
    ),
    cameraJitter: gauge('camera_jitter_seconds', 'How unevenly analysed pictures arrive (RFC 3550).', [
      'camera',
    ]),
    cameraClockDrift: gauge(
      'camera_clock_drift_ratio',
      "How much faster the camera's clock runs than ours; known after two minutes.",
      ['camera'],
    ),
    cameraClockJumps: counter('camera_clock_jumps_total', "Leaps of the stream's time.", ['camera']),
    cameraRestarts: counter('camera_restarts_total', 'Runs of ffmpeg that ended, by reason.', [
      'camera',
      'reason',
    ]),

    frameAge: histogram(
      'frame_age_seconds',
      'Age of a frame, counted from ffmpeg, as it enters a stage.',
      AGE_BUCKETS,
      ['stage'],
    ),
    frameLatency: histogram(
      'frame_latency_seconds',
      'Time from a frame leaving ffmpeg to its detections being told.',
      AGE_BUCKETS,
      ['camera'],
    ),
    stageDuration: histogram('stage_duration_seconds', 'Time that a stage took.', DURATION_BUCKETS, [
      'stage',
    ]),
    queueItems: gauge('queue_items', 'Items waiting in a queue.', ['queue']),
    queueCapacity: gauge('queue_capacity_items', 'Items that a queue holds at the most.', ['queue']),
    queueDropped: counter('queue_dropped_total', 'Items that a full queue lost.', ['queue']),
    batchSize: histogram('batch_size_crops', 'Crops in a micro-batch.', BATCH_BUCKETS),
    batchWait: histogram(
      'batch_wait_seconds',
      'Time that the first crop of a micro-batch waited.',
      WAIT_BUCKETS,
    ),
    secondLooks: counter(
      'second_looks_total',
      'Crops of which the classifier was in doubt and that it looked at again.',
    ),
    closeUps: counter(
      'close_ups_total',
      'Crops of which it was open whether they show a face and that were looked at again, closer and with what is around.',
    ),
    inferenceDuration: histogram(
      'inference_duration_seconds',
      'Time that a model ran, without waiting.',
      DURATION_BUCKETS,
      ['model', 'engine'],
    ),
    inferenceFailures: counter('inference_failures_total', 'Runs of a model that failed.', [
      'model',
      'engine',
    ]),
    workerUtilisation: gauge(
      'worker_utilisation_ratio',
      'Share of their time that inference workers were busy, 0 to 1.',
    ),
    workers: gauge('workers', 'Inference worker threads that take work.'),
    workerDeaths: counter('worker_deaths_total', 'Inference worker threads that died.'),

    tracks: gauge('tracks', 'Faces being followed.', ['camera']),
    tracksRejected: counter('tracks_rejected_total', 'Tracks that turned out to show no face.', ['camera']),
    cropsDeferred: counter('crops_deferred_total', 'Faces that were due but put off to a later frame.', [
      'camera',
    ]),
    faces: counter('faces_total', 'Faces told, once per frame, by outcome.', ['camera', 'outcome']),
    facesNotAssessable: counter(
      'faces_not_assessable_total',
      'Faces told that could not be judged, by reason.',
      ['camera', 'reason'],
    ),
    episodesOpen: gauge('episodes_open', 'Episodes that are open now.', ['camera']),
    episodeChanges: counter('episode_changes_total', 'Changes of episodes, by kind.', ['camera', 'change']),

    clients: gauge('clients_connected', 'Connected Socket.IO clients.'),
    clientsRefused: counter('clients_refused_total', 'Clients or requests refused, by reason.', ['reason']),
    messagesSent: counter('messages_sent_total', 'Messages handed to the transport of one client.', [
      'event',
    ]),
    messagesDropped: counter(
      'messages_dropped_total',
      'Volatile messages replaced by newer ones because a client was busy.',
      ['event'],
    ),
    publishFailures: counter('publish_failures_total', 'Failed attempts to tell or keep something.', [
      'sink',
    ]),

    eventLoopLag: gauge(
      'event_loop_lag_seconds',
      'Delay of the main thread beyond its timer, over the last 10 s.',
      ['statistic'],
    ),
    eventLoopUtilisation: gauge(
      'event_loop_utilisation_ratio',
      'Share of its time that the main thread was busy, over the last 10 s.',
    ),
    residentMemory: gauge(
      'process_resident_memory_bytes',
      'Resident memory of the service, ffmpeg not in it.',
    ),
    heapUsed: gauge('process_heap_used_bytes', 'JavaScript heap in use on the main thread.'),
    externalMemory: gauge('process_external_memory_bytes', 'Memory of buffers outside the JavaScript heap.'),
    cpuSeconds: counter('process_cpu_seconds_total', 'CPU time of the service, ffmpeg not in it.'),
    startTime: gauge('process_start_time_seconds', 'When the service began, seconds since 1970.'),
    ready: gauge('ready', '1 while /readyz answers 200.'),
    degraded: gauge('degraded', '1 while due frames are being shed.'),
    buildInfo: gauge('build_info', 'Always 1; what is running.', ['version', 'node']),
    modelInfo: gauge('model_info', 'Always 1; the models in use.', [
      'model',
      'task',
      'engine',
      'device',
      'engine_version',
    ]),
  };
}
