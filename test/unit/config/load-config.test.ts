import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cameraSchema } from '../../../src/config/camera-schema.js';
import { effectiveCamera } from '../../../src/config/effective-camera.js';
import { loadConfig } from '../../../src/config/load-config.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskwatch-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('overrides of a camera', () => {
  it('fill in nothing by themselves', () => {
    const camera = cameraSchema.parse({ id: 'a', url: 'rtsp://h/1', analysis: {}, policy: {} });
    expect(camera.analysis).toEqual({});
    expect(camera.policy).toEqual({});
  });

  it('keep what the top level says about the other keys', async () => {
    const file = write(
      'overrides.yaml',
      `analysis: { rateFps: 10, widthPx: 960 }
policy: { graceSeconds: 7, openThreshold: 0.9, timeZone: Europe/Berlin }
cameras:
  - { id: door, url: "rtsp://h/1", analysis: { rateFps: 2 }, policy: { openThreshold: 0.7 } }
  - { id: yard, name: The yard, url: "rtsp://h/2" }
`,
    );
    const config = await loadConfig(file);
    const [door, yard] = config.cameras.map((camera) => effectiveCamera(config, camera));
    expect(door?.analysis).toEqual({ rateFps: 2, widthPx: 960, heightPx: 360 });
    expect(door?.policy).toMatchObject({ openThreshold: 0.7, graceSeconds: 7, timeZone: 'Europe/Berlin' });
    expect(door?.name).toBe('door');
    expect(yard?.analysis.rateFps).toBe(10);
    expect(yard?.name).toBe('The yard');
  });

  it('are held to the same limits', () => {
    expect(cameraSchema.safeParse({ id: 'a', url: 'x', policy: { openThreshold: 2 } }).success).toBe(false);
    expect(cameraSchema.safeParse({ id: 'a', url: 'x', policy: { timeZone: 'Mars' } }).success).toBe(false);
    expect(cameraSchema.safeParse({ id: 'a', url: 'x', policy: { openTreshold: 1 } }).success).toBe(false);
  });
});

describe('secrets', () => {
  it('are found in text, environment and files, and never print', async () => {
    write('yard.txt', 'p@ss: "wörd" #1\n');
    const file = write(
      'secrets.yaml',
      `cameras:
  - { id: a, url: "rtsp://h/1", username: u, password: "in/place" }
  - { id: b, url: "rtsp://h/2", username: u, password: { env: B_PASSWORD } }
  - { id: c, url: "rtsp://h/3", username: u, password: { file: yard.txt } }
server: { host: 0.0.0.0, auth: { secret: { env: KEY } } }
`,
    );
    const key = '0123456789abcdef0123456789abcdef';
    const config = await loadConfig(file, { env: { B_PASSWORD: 'from env', KEY: key } });
    const passwords = config.cameras.map((camera) => camera.password?.reveal());
    expect(passwords).toEqual(['in/place', 'from env', 'p@ss: "wörd" #1']);
    expect(config.server.auth?.secret.reveal()).toBe(key);
    const printed = `${inspect(config, { depth: 9, showHidden: true })}${JSON.stringify(config)}${config.cameras[0]?.password}`;
    for (const secret of [...passwords, key]) expect(printed).not.toContain(secret);
    expect(printed).toContain('[secret]');
  });
});

describe('paths', () => {
  it('start at the folder of the file', async () => {
    write('a b#1.mp4', '');
    const file = write(
      'paths.yaml',
      `cameras: [{ id: a, url: "file:a b#1.mp4", loop: true }]
store: { path: data/x.db }
ingest: { ffmpegPath: ./ffmpeg }
`,
    );
    const config = await loadConfig(file);
    expect(config.file).toBe(file);
    expect(config.cameras[0]?.url).toBe(`file://${folder}/a%20b%231.mp4`);
    expect(config.store.path).toBe(join(folder, 'data/x.db'));
    expect(config.ingest.ffmpegPath).toBe(join(folder, 'ffmpeg'));
  });

  it('leave alone what is no path', async () => {
    const config = await loadConfig(
      write('plain.yaml', 'store: { path: ":memory:" }\ningest: { ffmpegPath: ffmpeg }'),
    );
    expect(config.store.path).toBe(':memory:');
    expect(config.ingest.ffmpegPath).toBe('ffmpeg');
  });
});

describe('errors', () => {
  it('say that there is no file', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'CONFIG_NOT_FOUND',
      exitCode: 2,
    });
  });

  it('say that a folder cannot be read', async () => {
    await expect(loadConfig(folder)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE', exitCode: 2 });
  });

  it('name the first problem and count the others', async () => {
    const file = write('bad.yaml', 'server: { port: -1 }\nfoo: 1\nbar: 2\n');
    await expect(loadConfig(file)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      path: 'server.port',
      message: expect.stringContaining('and 2 more'),
      exitCode: 2,
    });
  });
});
