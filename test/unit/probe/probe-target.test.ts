import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type LoadedConfig, parseConfig } from '../../../src/config/load-config.js';
import { targetOfAddress, targetsOfConfig } from '../../../src/probe/probe-target.js';

const folder = mkdtempSync(join(tmpdir(), 'maskwatch-probe-'));
writeFileSync(join(folder, 'a clip: one'), '');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const analysis = { rateFps: 5, widthPx: 640, heightPx: 360 };
const target = (address: string, options: { username?: string; password?: string } = {}) =>
  targetOfAddress(address, { ...options, analysis, cwd: folder });

describe('an address from the command line', () => {
  it('is taken with user and password apart, all transports open', () => {
    expect(target('rtsp://cam.example:554/x', { username: 'us er', password: 'p@ss/:' })).toMatchObject({
      ...{ url: 'rtsp://cam.example:554/x', username: 'us er', password: 'p@ss/:', transport: 'auto' },
      warnings: [],
    });
  });

  it('gives up its user and password, with a warning', () => {
    const { warnings, ...found } = target('rtsp://us%20er:p%40ss@cam.example/x@y'.replace('@y', ''));
    expect(found).toMatchObject({ url: 'rtsp://cam.example/x', username: 'us er', password: 'p@ss' });
    expect(warnings).toEqual([expect.stringMatching(/^The password stands in the address/)]);
    expect(JSON.stringify(warnings)).not.toMatch(/p@ss|p%40ss/);
  });

  it('yields to a password that is given apart', () => {
    expect(target('rtsp://u:old@h/x', { password: 'new' })).toMatchObject({ username: 'u', password: 'new' });
  });

  it('says that a password without a user was not used', () => {
    const { password, warnings } = target('rtsp://h/x', { password: 'secret' });
    expect(password).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('no user (--username)')]);
  });

  it.each([
    'rtsp://user:s3cr@t/w@10.0.0.7/cam',
    'rtsp://user:s3cr#t@10.0.0.7/cam',
    'rtsp://user:s3cr?t@10.0.0.7/cam',
    'rtsp:///cam',
    'rtsp:/10.0.0.7/s3cr',
    'ftp://user:s3cr@10.0.0.7/cam',
    '10.0.0.7/cam',
    'user:s3cr@10.0.0.7',
    '',
  ])('is refused without being repeated where it is none: %s', (address) => {
    try {
      target(address);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'CLI_USAGE', exitCode: 2 });
      expect(JSON.stringify(error)).not.toContain('s3cr');
    }
  });

  it('may be a file, by its path or by its name', () => {
    const path = (name: string) => pathToFileURL(join(folder, name)).href;
    expect(target('a clip: one', { username: 'u', password: 'p' })).toMatchObject({
      url: path('a clip: one'),
    });
    expect(target('file:missing.mkv').url).toBe(path('missing.mkv'));
    expect(target('sub/missing.mp4').url).toBe(path('sub/missing.mp4'));
    expect(target('a clip: one', { username: 'u', password: 'p' }).password).toBeUndefined();
  });
});

describe('cameras of a configuration', () => {
  const text = JSON.stringify({
    analysis: { rateFps: 3 },
    cameras: [
      { id: 'one', url: 'rtsp://h/1', username: 'u', password: 'geheim', transport: 'udp' },
      {
        id: 'two',
        url: 'rtsp://h/2',
        subUrl: 'rtsp://h/2-small',
        analysis: { widthPx: 960 },
        rotationDegrees: 90,
      },
      { id: 'off', url: 'rtsp://h/3', enabled: false },
    ],
  });
  const parsed = parseConfig(text, { file: join(folder, 'cameras.yaml'), env: {} });
  const config = (parsed as { config: LoadedConfig }).config;

  it('are those that are enabled, each as the service reads it', () => {
    expect(targetsOfConfig(config, [], undefined)).toMatchObject([
      { cameraId: 'one', url: 'rtsp://h/1', username: 'u', password: 'geheim', transport: 'udp' },
      {
        ...{
          cameraId: 'two',
          url: 'rtsp://h/2-small',
          isSubStream: true,
          rotationDegrees: 90,
          transport: 'tcp',
        },
        analysis: { rateFps: 3, widthPx: 960 },
      },
    ]);
  });

  it('are those that are named, enabled or not, over the transport that is asked for', () => {
    const found = targetsOfConfig(config, ['off', 'one'], 'auto');
    expect(found.map(({ cameraId, transport }) => `${cameraId} ${transport}`)).toEqual([
      'one auto',
      'off auto',
    ]);
  });

  it('are refused where there is none of that name, or none at all', () => {
    expect(() => targetsOfConfig(config, ['three'], undefined)).toThrow(/no camera three/);
    expect(() => targetsOfConfig({ ...config, cameras: [] }, [], undefined)).toThrow(
      /no camera that is enabled/,
    );
  });
});
