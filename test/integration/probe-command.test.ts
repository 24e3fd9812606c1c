import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { footageFile } from '../../src/demo/demo-cameras.js';
import { RtspServer } from '../../src/demo/rtsp/server.js';
import type { ProbeReport } from '../../src/probe/probe-report.js';
import { FFMPEGS, npmFfmpeg } from '../support/ingest-clips.js';
import { type CliResult, finished, runCli, startCli } from '../support/run-cli.js';

const USER = 'us er';
const PASSWORD = `p@ss/w:rd?#%&"' é`;
/** Ways in which that password might get out. */
const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD), 'p%40ss', 'p@ss', 'w:rd', 'w%3Ard', '%C3%A9'];

let folder: string;
let server: RtspServer;
let passwordFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-probe-'));
  passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${PASSWORD}\n`);
  await writeFile(join(folder, 'text.mp4'), 'this is text\n'.repeat(50));
  const auth = { username: USER, password: PASSWORD, scheme: 'digest' } as const;
  server = await RtspServer.open({
    ffmpegPath: (await npmFfmpeg()).path,
    streams: [
      { path: '/entrance', file: footageFile('entrance'), auth },
      { path: '/corridor', file: footageFile('corridor') },
      { path: '/udp-only', file: footageFile('corridor') },
      { path: '/dying', file: footageFile('corridor') },
      { path: '/http-only', file: footageFile('corridor'), auth },
    ],
  });
  server.setFault('/udp-only', { kind: 'no_transport', transports: ['tcp'] });
  server.setFault('/http-only', { kind: 'no_transport', transports: ['tcp', 'udp'] });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const probe = (args: readonly string[], env: Record<string, string> = {}) =>
  runCli(['probe', ...args], { env });

function expectNoSecret({ stdout, stderr }: CliResult): void {
  for (const secret of SECRETS) expect(stdout + stderr).not.toContain(secret);
}

/** The only line of a failed probe of one address. */
function failure(result: CliResult): ProbeReport & { error: NonNullable<ProbeReport['error']> } {
  const report = JSON.parse(result.stdout) as ProbeReport;
  expect(result).toMatchObject({ code: 1, stderr: '' });
  expect(report).toMatchObject({ ok: false, codec: null, placement: { score: null } });
  expect(report.error?.hint).toMatch(/[.?]$/);
  return { ...report, error: report.error! };
}

describe.each(FFMPEGS)('probe through the $name', ({ path, isPresent }) => {
  const env: Record<string, string> = path === undefined ? {} : { FFMPEG_PATH: path };

  it.skipIf(!isPresent)('tells all of a camera behind digest and an awkward password', async () => {
    const args = [server.url('/entrance'), '--username', USER, '--password-file', passwordFile];
    const result = await probe([...args, '--seconds', '3', '--json'], env);
    expectNoSecret(result);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(result.stdout) as ProbeReport;
    expect(report).toMatchObject({
      ...{ ok: true, url: server.url('/entrance'), codec: 'h264', width: 1280, height: 720 },
      ...{ rateFps: 25, keyframeIntervalMs: 1000, transport: 'tcp', attempts: [] },
      analysed: { width: 640, height: 360 },
    });
    expect(report).not.toHaveProperty('error');
    expect(report.firstFrameMs).toBeGreaterThan(0);
    expect(report.bitrateKbps).toBeGreaterThan(20);
    // Two people stand at the entrance, some 160 to 200 pixels wide, as ATTRIBUTION.md and the picture show.
    const { faces, light, angle, placement } = report;
    expect(faces).toMatchObject({ count: 2, assessableShare: 1 });
    expect(faces.widthPx.min).toBeGreaterThan(120);
    expect(faces.widthPx.max).toBeLessThan(260);
    expect(light.pictureLuma).toBeGreaterThan(80);
    expect(light.faceLuma).toBeGreaterThan(60);
    expect(angle.yawDegrees).toBeLessThan(40);
    expect(placement.score).toBeGreaterThan(80);
    expect(placement.advice.length).toBeGreaterThan(0);
  });

  it.skipIf(!isPresent)('says that the password is wrong, without saying it', async () => {
    const wrong = { ...env, MASKWATCH_PROBE_PASSWORD: `${PASSWORD}!` };
    const result = await probe([server.url('/entrance'), '-u', USER, '--json'], wrong);
    expectNoSecret(result);
    const { error, attempts } = failure(result);
    expect(error).toMatchObject({ code: 'STREAM_UNAUTHORIZED', reason: 'unauthorized' });
    expect(error.hint).toContain('lock the account');
    // Once: another transport does not make a password right.
    expect(attempts).toEqual([]);
  });

  it.skipIf(!isPresent)('finds the transport that works', async () => {
    const result = await probe([server.url('/udp-only'), '--seconds', '1', '--json'], env);
    expect(JSON.parse(result.stdout)).toMatchObject({
      ...{ ok: true, transport: 'udp', keyframeIntervalMs: 1000 },
      attempts: [{ transport: 'tcp' }],
    });
    const fixed = await probe([server.url('/udp-only'), '--transport', 'tcp', '--json'], env);
    const { error } = failure(fixed);
    expect(error).toMatchObject({ reason: 'configuration' });
    expect(error.hint).toContain('--transport auto');
  });

  it.skipIf(!isPresent)('gets through by HTTP where nothing else does, password and all', async () => {
    const args = [server.url('/http-only'), '-u', USER, '--password-file', passwordFile];
    const result = await probe([...args, '--seconds', '1', '--json'], env);
    expectNoSecret(result);
    expect(JSON.parse(result.stdout)).toMatchObject({
      ...{ ok: true, transport: 'http', keyframeIntervalMs: 1000 },
      attempts: [{ transport: 'tcp' }, { transport: 'udp' }],
    });
  });

  it.skipIf(!isPresent)('reads a file', async () => {
    const result = await probe([footageFile('reception'), '-s', '1', '--json'], env);
    expect(JSON.parse(result.stdout)).toMatchObject({
      ...{ ok: true, transport: 'file', codec: 'h264', rateFps: 25, keyframeIntervalMs: 1000 },
      faces: { count: 2 },
    });
  });

  it.skipIf(!isPresent)('says that a text is no video, whatever its name', async () => {
    const { error } = failure(await probe([join(folder, 'text.mp4'), '--json'], env));
    expect(error).toMatchObject({ code: 'STREAM_NO_VIDEO', reason: 'invalid_data' });
  });
});

describe('probe', () => {
  it('asks for user and password where none was given', async () => {
    const { error } = failure(await probe([server.url('/entrance'), '--json']));
    expect(error.reason).toBe('unauthorized');
    expect(error.hint).toContain('--username');
  });

  it('says that there is no such stream', async () => {
    const url = server.url('/corridor').replace('corridor', 'nowhere');
    expect(failure(await probe([url, '--json'])).error).toMatchObject({
      ...{ code: 'STREAM_NOT_FOUND', reason: 'not_found' },
      hint: expect.stringContaining('path'),
    });
  });

  it('says that nothing listens, and that there is no such file', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const refused = failure(await probe([`rtsp://127.0.0.1:${port}/cam`, '--json']));
    expect(refused.error).toMatchObject({ code: 'STREAM_REFUSED', reason: 'refused' });
    const missing = failure(await probe([join(folder, 'missing.mp4'), '--json']));
    expect(missing.error).toMatchObject({ code: 'STREAM_NOT_FOUND', hint: 'Is the path right?' });
  });

  it('says that a camera takes connections and never answers', async () => {
    const sockets = new Set<Socket>();
    const hole = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).resume();
    }).listen(0, '127.0.0.1');
    await once(hole, 'listening');
    try {
      const { port } = hole.address() as AddressInfo;
      const { error } = failure(await probe([`rtsp://127.0.0.1:${port}/cam`, '--json']));
      expect(error).toMatchObject({
        ...{ code: 'STREAM_UNREACHABLE', reason: 'unreachable' },
        message: `The camera at 127.0.0.1:${port} takes connections but does not answer`,
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      hole.close();
    }
  });

  it('says for people what it says for programs', async () => {
    const { code, stdout } = await probe([server.url('/corridor'), '--seconds', '2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^stream +h264 1280x720, 25 fps, \d+ kbit\/s$/m);
    expect(stdout).toMatch(/^keyframes +every 1\.0 s$/m);
    expect(stdout).toMatch(/^faces +2, \d+ px wide/m);
    expect(stdout).toMatch(/^placement +\d+ of 100$/m);
  });

  it('refuses wrong usage, and says what ffmpeg is missing', async () => {
    for (const args of [
      [],
      ['rtsp://h/1', 'rtsp://h/2'],
      ['ftp://user:geheim@h/x'],
      ['rtsp://user:geh@im/x@h/y'],
      ['rtsp://h/x', '--transport', 'sctp'],
      ['rtsp://h/x', '--transport', 'rtsp://u:geh@im/x@h/x'],
      ['rtsp://h/x', '--password=geheim'],
      ['--config', 'rtsp://u:geh@im/x@h/x'],
      ['rtsp://h/x', '--seconds', '0'],
      ['rtsp://h/x', '--password-file', passwordFile],
      ['rtsp://h/x', '-u', 'u', '--password-file', join(folder, 'missing')],
      ['--config', join(folder, 'missing.yaml')],
    ]) {
      const result = await probe([...args, '--json']);
      expect(result, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).not.toMatch(/geheim|geh@im/);
      expect(JSON.parse(result.stderr)).toHaveProperty('error.code');
    }
    const missing = await probe(['rtsp://127.0.0.1:9/x', '--json'], { FFMPEG_PATH: join(folder, 'ffmpeg') });
    expect(missing).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(missing.stderr).error.code).toBe('FFMPEG_NOT_FOUND');
  });

  it('tells what it saw of a camera that dies meanwhile', async () => {
    const pictures = () => server.stats().sessions.find(({ path }) => path === '/dying')?.sentPackets ?? 0;
    const result = probe([server.url('/dying'), '--seconds', '600', '--json']);
    await expect.poll(pictures, { timeout: 30_000 }).toBeGreaterThan(100);
    server.setFault('/dying', { kind: 'refuse' });
    server.disconnectAll('/dying');
    const { code, stdout } = await result;
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as ProbeReport;
    expect(report).toMatchObject({
      ...{ ok: false, codec: 'h264', width: 1280, transport: 'tcp', warnings: [] },
      error: { code: 'STREAM_ENDED', reason: 'process_exited' },
    });
    expect(report.watchedMs).toBeLessThan(600_000);
    expect(report.frames.analysed).toBeGreaterThan(0);
  });

  it('ends at a signal and leaves nothing behind', async () => {
    const before = server.stats().sessions.length;
    const child = startCli(['probe', server.url('/corridor'), '--seconds', '600', '--json']);
    const end = finished(child);
    const sessions = () => expect.poll(() => server.stats().sessions.length, { timeout: 30_000 });
    await sessions().toBeGreaterThan(before);
    child.kill('SIGINT');
    expect(await end).toMatchObject({ code: 130, stdout: '', stderr: '' });
    await sessions().toBe(before);
  });
});

describe('probe of a configuration', () => {
  const camera = (id: string, url: string, more: object = {}) => ({ id, url, ...more });
  let file: string;

  beforeAll(async () => {
    file = join(folder, 'cameras.yaml');
    const login = { username: USER, password: { file: 'password' } };
    const cameras = [
      camera('corridor', server.url('/corridor')),
      camera('dead', server.url('/corridor').replace('corridor', 'gone')),
      camera('entrance', server.url('/entrance'), login),
      camera('off', 'rtsp://127.0.0.1:9/x', { enabled: false }),
      camera('film', `file:${footageFile('stairwell')}`),
    ];
    await writeFile(file, JSON.stringify({ cameras }));
  });

  it('gives a line of JSON for each camera, in order, and fails for the dead one', async () => {
    const result = await probe(['--config', file, '--seconds', '2', '--json']);
    expectNoSecret(result);
    expect(result).toMatchObject({ code: 1, stderr: '' });
    const reports = result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ProbeReport);
    expect(reports.map(({ cameraId, ok, error }) => [cameraId, ok, error?.reason])).toEqual([
      ['corridor', true, undefined],
      ['dead', false, 'not_found'],
      ['entrance', true, undefined],
      ['film', true, undefined],
    ]);
    expect(reports.map(({ transport }) => transport)).toEqual(['tcp', null, 'tcp', 'file']);
  });

  it('gives a table for people', async () => {
    const result = await probe(['--config', file, '--seconds', '1', 'dead', 'entrance']);
    expectNoSecret(result);
    expect(result.code).toBe(1);
    const [head, dead, entrance, ...more] = result.stdout.split('\n');
    expect(head).toMatch(/^camera +result +stream +via +first picture +keyframes +faces +placement$/);
    expect(dead).toMatch(/^dead +not found +–/);
    expect(entrance).toMatch(
      /^entrance +ok +h264 1280x720, 25 fps, \d+ kbit\/s +tcp +\d+ ms +every 1\.0 s +2, \d+ px/,
    );
    expect(more.join('\n')).toMatch(/^dead\n {2}There is no such stream/m);
    expect(result.stderr).toContain('maskwatch: 1 of 2 cameras failed');
  });

  it('takes only cameras that are there', async () => {
    const result = await probe(['--config', file, 'cellar', '--json']);
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stderr).error).toMatchObject({
      message: expect.stringContaining('no camera cellar'),
      hint: 'it has corridor, dead, entrance, off, film',
    });
  });
});
