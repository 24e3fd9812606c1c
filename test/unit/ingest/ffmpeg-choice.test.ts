import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os, { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ffmpegFinding } from '../../../src/cli/doctor/component-findings.js';
import { type FfmpegBinary, findFfmpeg } from '../../../src/ingest/ffmpeg-binary.js';
import { FfmpegChoice, lackings, onlyOtherCan } from '../../../src/ingest/ffmpeg-choice.js';
import { deviceFormat } from '../../../src/ingest/ffmpeg-input-options.js';

const RTSP = 'rtsp://camera.example/1';
const DEVICE = 'device:/dev/video0';

const binary = (parts: Partial<FfmpegBinary>): FfmpegBinary => ({
  ...{ path: '/x/ffmpeg', version: '5', libavformatMajor: 59, isStatic: false, origin: 'npm' },
  ...{ hwaccels: [], inputDevices: [] },
  ...parts,
});

let folder: string;
let PATH: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwatch-choice-'));
  PATH = folder;
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** An ffmpeg in PATH with these decoders; writes down each question it is asked. */
async function installSystem(hwaccels: string): Promise<string> {
  const path = join(folder, 'ffmpeg');
  await writeFile(
    path,
    `#!/bin/sh
echo "$*" >> '${folder}/questions'
case $2 in
-hwaccels) printf 'Hardware acceleration methods:\\n${hwaccels}\\n' ;;
-devices) printf ' D  ${deviceFormat()} Cameras\\n' ;;
*) printf 'ffmpeg version 7.1 Copyright\\nlibavformat    61. 1.100 / 61. 1.100\\n' ;;
esac
`,
  );
  await chmod(path, 0o755);
  return path;
}

function logOf() {
  const lines: string[] = [];
  const add = (level: string) => (_fields: object, text: string) => void lines.push(`${level}: ${text}`);
  return { lines, log: { debug: add('debug'), info: add('info'), warn: add('warn') } };
}

describe('which ffmpeg a camera gets', () => {
  it("is npm's for a camera without wishes; the system's is not even looked at", async () => {
    await installSystem('cuda');
    const { lines, log } = logOf();
    const choice = await FfmpegChoice.open({ env: { PATH } }, log);
    expect(await choice.choose({ url: RTSP, decoding: 'none' })).toMatchObject({ origin: 'npm' });
    expect(lines).toEqual([]);
    await expect(readFile(join(folder, 'questions'))).rejects.toThrow();
  });

  it("is the system's where only that one can do it, read once, told once", async () => {
    const path = await installSystem('cuda');
    const { lines, log } = logOf();
    const choice = await FfmpegChoice.open({ env: { PATH } }, log);
    for (const _camera of [1, 2])
      expect(await choice.choose({ url: RTSP, decoding: 'cuda' })).toMatchObject({ origin: 'system', path });
    expect(lines).toEqual(["info: the system's ffmpeg is taken: that of npm was built without cuda"]);
    expect((await readFile(join(folder, 'questions'), 'utf8')).match(/-hwaccels/g)).toHaveLength(1);
  });

  it('says once what is missing where neither can do it', async () => {
    await installSystem('vdpau');
    const { lines, log } = logOf();
    const choice = await FfmpegChoice.open({ env: { PATH } }, log);
    for (const _camera of [1, 2])
      expect(await choice.choose({ url: RTSP, decoding: 'qsv' })).toMatchObject({ origin: 'npm' });
    expect(lines).toEqual([
      expect.stringMatching(
        /^warn: no ffmpeg at hand fits: this one was built without qsv; install .*FFMPEG_PATH/,
      ),
    ]);
  });

  it('is the one that was asked for, whatever it can do', async () => {
    const path = await installSystem('vdpau');
    const { lines, log } = logOf();
    for (const options of [{ path, env: {} }, { env: { PATH, FFMPEG_PATH: path } }]) {
      const choice = await FfmpegChoice.open(options, log);
      expect(await choice.choose({ url: RTSP, decoding: 'cuda' })).toBe(choice.usual);
      expect(choice.usual.path).toBe(path);
    }
    expect(lines).toEqual([]);
  });

  it("is the system's on a platform for which npm has none", async () => {
    const path = await installSystem('vdpau');
    const require = createRequire(import.meta.url);
    for (const name of Object.keys(require.cache))
      if (name.includes('@ffmpeg-installer')) delete require.cache[name];
    vi.spyOn(os, 'arch').mockReturnValue('s390x');
    const { lines, log } = logOf();
    const choice = await FfmpegChoice.open({ env: { PATH } }, log);
    expect(choice.usual).toMatchObject({ origin: 'system', path });
    expect(lines).toEqual(["info: npm has no ffmpeg that runs here: the system's is taken"]);
    await expect(findFfmpeg({ env: { PATH: '' } })).rejects.toMatchObject({
      code: 'FFMPEG_NOT_FOUND',
      hint: expect.stringContaining('PATH'),
    });
  });
});

describe('what a build cannot do', () => {
  it('is told by what it was built with', () => {
    const plain = binary({});
    expect(lackings(plain, { url: RTSP, decoding: 'none' })).toEqual([]);
    expect(lackings(plain, { url: DEVICE, decoding: 'auto' })).toHaveLength(2);
    const able = binary({ hwaccels: ['cuda'], inputDevices: [deviceFormat()] });
    expect(lackings(able, { url: DEVICE, decoding: 'cuda' })).toEqual([]);
    expect(lackings(able, { url: DEVICE, decoding: 'auto' })).toEqual([]);
    expect(lackings(able, { url: RTSP, decoding: 'qsv' })).toEqual([
      { what: 'was built without qsv', isDoubt: false },
    ]);
    expect(lackings({ ...able, isStatic: true }, { url: RTSP, decoding: 'cuda' })).toEqual([
      { what: expect.stringContaining('static'), isDoubt: true },
    ]);
  });

  it("is told by doctor with the system's that can", async () => {
    const path = await installSystem('cuda');
    vi.stubEnv('FFMPEG_PATH', undefined);
    vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
    const { state, detail } = await ffmpegFinding();
    expect(state).toBe('ok');
    expect(detail).toMatch(/\(installed by npm\), .*; 7\.1 for .*decoding: cuda.*: /);
    expect(detail).toContain(path);
  });

  it('is listed for doctor where another one can', () => {
    const usual = binary({ hwaccels: ['vaapi'], inputDevices: [deviceFormat()] });
    const other = binary({ hwaccels: ['vaapi', 'cuda'], inputDevices: [] });
    expect(onlyOtherCan(usual, other)).toEqual(['decoding: cuda']);
    expect(onlyOtherCan(other, usual)).toEqual(['device:']);
  });
});
