import { pathToFileURL } from 'node:url';
import { checkConfig } from '../../src/config/load-config.js';
import type { CameraPayload } from '../../src/publish/events.js';
import { makeBrokenFiles } from './broken-files.js';
import { BrokenPeers } from './broken-peers.js';
import { ControlRoom } from './control-room.js';
import { WatchedBuilding } from './watched-building.js';

export interface BrokenInputResult {
  readonly name: string;
  readonly isRight: boolean;
  /** What the user is told. */
  readonly said: string;
}

/** Entries that a configuration must not hold: what is wrong with each is said before anything runs. */
const BROKEN_ENTRIES: readonly [name: string, entry: Record<string, unknown>][] = [
  ['no address', { url: '' }],
  ['no scheme', { url: '10.0.0.7/cam' }],
  ['host and port alone', { url: 'camera:554/stream' }],
  ['another scheme', { url: 'ftp://10.0.0.7/cam' }],
  ['a scheme with a slip', { url: 'rstp://10.0.0.7/cam' }],
  ['no host', { url: 'rtsp:///cam' }],
  ['a port beyond all', { url: 'rtsp://127.0.0.1:99999/cam' }],
  ['one slash', { url: 'rtsp:/10.0.0.7/cam' }],
  ['a bracket too few', { url: 'rtsp://[::1/cam' }],
  ['user and password in the address', { url: 'rtsp://admin:secret@10.0.0.7/cam' }],
  ['a password with @ in the address', { url: 'rtsp://admin:p@ss@10.0.0.7/cam' }],
  ['a file that is not there', { url: 'file:/no/such/film.mp4' }],
  ['a file without a name', { url: 'file:' }],
  ['a device without a name', { url: 'device:' }],
  ['a password without a user', { url: 'rtsp://h/c', password: 'x' }],
  [
    'a password from a variable that is not set',
    { url: 'rtsp://h/c', username: 'u', password: { env: 'NO_SUCH_VARIABLE' } },
  ],
  ['another transport', { url: 'rtsp://h/c', transport: 'sctp' }],
  ['other hardware', { url: 'rtsp://h/c', decoding: 'magic' }],
  ['a turn of 45 degrees', { url: 'rtsp://h/c', rotationDegrees: 45 }],
  ['an option that is not allowed', { url: 'rtsp://h/c', inputOptions: { dump: 'x' } }],
  ['an option that writes', { url: 'rtsp://h/c', inputOptions: { report: 1 } }],
  ['an option within an option', { url: 'rtsp://h/c', inputOptions: { user_agent: '-y /etc/passwd' } }],
  ['a line break in an option', { url: 'rtsp://h/c', inputOptions: { user_agent: 'a\nb' } }],
  ['a loop of a live stream', { url: 'rtsp://h/c', loop: true }],
  ['no frames a second', { url: 'rtsp://h/c', analysis: { rateFps: 0 } }],
  ['an odd width', { url: 'rtsp://h/c', analysis: { widthPx: 641 } }],
  ['a key with a slip', { url: 'rtsp://h/c', pasword: 'x' }],
];

/** Options that ffmpeg itself refuses: the camera says so. */
const BROKEN_OPTIONS: readonly [name: string, options: Record<string, string | number>][] = [
  ['probesize that is no number', { probesize: 'many' }],
  ['a rate for a stream that has its own', { framerate: 25 }],
  ['flags that do not exist', { fflags: '+nosuchflag' }],
];

/** Gives the product every broken thing, and says what a user is told of each. Nothing of it is left. */
export async function tryBrokenInputs(options: {
  readonly folder: string;
  /** A clip of a healthy camera, which must not notice. */
  readonly healthyFile: string;
  readonly onLine?: (line: string) => void;
}): Promise<{ results: BrokenInputResult[]; healthy: CameraPayload; isUp: boolean }> {
  const results: BrokenInputResult[] = [];
  for (const [name, entry] of BROKEN_ENTRIES) {
    const checked = checkConfig(JSON.stringify({ cameras: [{ id: 'cam', ...entry }] }), {
      file: `${options.folder}/cameras.yaml`,
      env: {},
    });
    const problem = checked.valid ? null : checked.problems[0]!;
    const said = problem
      ? `${problem.path}: ${problem.message}${problem.hint ? ` (${problem.hint})` : ''}`
      : '';
    const secret = /p@ss|secret/.test(said);
    results.push({ name: `configuration: ${name}`, isRight: problem !== null && !secret, said });
  }

  const files = await makeBrokenFiles(options.folder);
  const peers = await BrokenPeers.open();
  const cases = new Map<
    string,
    { name: string; plays: boolean; reasons: readonly string[] | null; entry: object }
  >();
  const add = (name: string, entry: object, plays: boolean, reasons: readonly string[] | null) =>
    cases.set(`case-${cases.size + 1}`, { name, entry, plays, reasons });
  for (const { name, path, plays } of files)
    add(`file: ${name}`, { url: pathToFileURL(path).href }, plays, null);
  for (const { name, url, reasons } of peers.peers) add(name, { url }, false, reasons);
  const building = await WatchedBuilding.open({
    cameras: ['healthy', ...cases.keys(), ...BROKEN_OPTIONS.map((_, i) => `option-${i + 1}`)].map((id) => ({
      ...{ id, name: id, file: options.healthyFile },
    })),
    config: {
      analysis: { rateFps: 2, widthPx: 320, heightPx: 180 },
      ingest: {
        connectTimeoutSeconds: 4,
        stallTimeoutSeconds: 15,
        backoffMinSeconds: 30,
        backoffMaxSeconds: 60,
      },
      detection: { widthPx: 320, heightPx: 192 },
    },
  });
  try {
    for (const [id, { entry }] of cases)
      building.override(id, { username: undefined, password: undefined, ...entry });
    for (const [i, [name, inputOptions]] of BROKEN_OPTIONS.entries()) {
      building.override(`option-${i + 1}`, { inputOptions });
      cases.set(`option-${i + 1}`, {
        ...{ name: `option: ${name}`, plays: false, entry: {} },
        reasons: ['configuration', 'invalid_data', 'process_exited'],
      });
    }
    const service = await building.startService();
    const seen = new Map<string, CameraPayload>();
    const played = new Set<string>();
    const room = await ControlRoom.enter(service.url, { cameras: 'all' });
    const note = (camera: CameraPayload) => {
      if (camera.state === 'live') played.add(camera.cameraId);
      // The first end of a run is what a user reads; a healthy camera has none.
      if (
        camera.state !== 'connecting' &&
        !(camera.state === 'live' && !camera.message) &&
        !seen.has(camera.cameraId)
      ) {
        seen.set(camera.cameraId, camera);
        options.onLine?.(
          `${cases.get(camera.cameraId)?.name ?? camera.cameraId}: ${camera.reason}, ${camera.message}`,
        );
      }
    };
    for (const camera of room.cameras) note(camera);
    room.socket.on('camera', note);
    const isOver = () => [...cases.keys()].every((id) => seen.has(id) || played.has(id));
    while (!isOver()) await room.next('camera', () => true);
    const now = await room.socket.emitWithAck('subscribe', { cameras: 'all' });
    if (!now.ok) throw new Error(now.error.message);
    for (const [id, { name, plays, reasons }] of cases) {
      const camera = seen.get(id);
      const hasPlayed = played.has(id);
      const said = [hasPlayed ? 'plays' : '', camera ? `${camera.reason}: ${camera.message ?? ''}` : ''];
      const isRight = plays
        ? hasPlayed
        : !hasPlayed && !!camera?.message && (reasons === null || reasons.includes(camera.reason ?? ''));
      results.push({ name, isRight, said: said.filter(Boolean).join('; ') });
    }
    const healthy = now.cameras.find(({ cameraId }) => cameraId === 'healthy')!;
    const { status } = await service.text('/healthz');
    room.socket.close();
    return { results, healthy, isUp: status === 200 };
  } finally {
    await building.close();
    await peers.close();
  }
}
