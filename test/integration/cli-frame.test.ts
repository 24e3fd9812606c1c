import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maskwatch-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('maskwatch', () => {
  it('prints help on stdout when asked', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of ['check', 'demo', 'evaluate', 'models', 'serve', 'token', 'train'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it('prints help on stderr, with exit code 2, when there is no command', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: maskwatch/);
  });

  it('prints its version', async () => {
    expect(await runCli(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('suggests the command that was meant', async () => {
    const { code, stdout, stderr } = await runCli(['chek', 'x']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/unknown command 'chek'[\s\S]*check/);
  });

  it('tells a usage error as one JSON object with --json', async () => {
    const { code, stdout, stderr } = await runCli(['check', 'x', '--jsn', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'CLI_USAGE', message: "unknown option '--jsn'", hint: 'Did you mean --json?' },
    });
  });

  it('points at the help of the command that was used wrongly', async () => {
    expect((await runCli(['check'])).stderr).toContain('see maskwatch check --help');
    expect((await runCli(['--nothing'])).stderr).toContain('see maskwatch --help');
  });

  it('tells a missing command as one JSON object too', async () => {
    const { code, stdout, stderr } = await runCli(['models', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CLI_USAGE' } });
  });
});

describe('maskwatch detect', () => {
  it('tells files that cannot be read in one JSON object, after a line for each', async () => {
    const files = ['one.jpg', 'two.jpg'].map((name) => write(name, 'no picture'));
    const { code, stdout, stderr } = await runCli(['detect', ...files, '--json']);
    expect(code).toBe(1);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject(files.map((file) => ({ file, error: { code: 'PICTURE_UNREADABLE' } })));
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'DETECT_INCOMPLETE', message: '2 of 2 files could not be read' },
    });
  });

  it('says so in words without --json', async () => {
    const { code, stdout, stderr } = await runCli(['detect', write('three.jpg', 'no picture')]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/three\.jpg is not a picture.*\nmaskwatch: 1 of 1 files could not be read\n$/);
  });
});

describe('maskwatch train', () => {
  it.each([
    ['paper', ['--corrections', 'mine.jsonl', '--resume'], '--corrections, --resume'],
    ['production', ['--seeds', '3'], '--seeds'],
    ['baseline', ['--resume'], '--resume'],
  ])('refuses what the recipe %s has no use for', async (recipe, args, told) => {
    const { code, stderr } = await runCli([
      ...['train', '--recipe', recipe, '--data', 'x', '--out', 'y', ...args, '--json'],
    ]);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'CLI_USAGE', message: `the recipe ${recipe} takes no ${told}` },
    });
  });
});

describe('a model that there is not', () => {
  it.each([
    ['models', ['show', 'mask-mobilenet']],
    ['detect', ['x.jpg', '--model', 'mask-mobilenet']],
    ['evaluate', ['--crops', 'x', '--model', 'mask-mobilenet']],
  ])('is wrong usage of %s, with the nearest name', async (command, args) => {
    const { code, stderr } = await runCli([command, ...args, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'MODEL_NOT_FOUND', hint: 'did you mean mask-mobilenetv2?' },
    });
  });
});

describe('maskwatch check', () => {
  it('says how many cameras a valid file has', async () => {
    const file = write('good.yaml', 'cameras: [{ id: a, url: "rtsp://h/1" }]');
    expect(await runCli(['check', file, '--json'])).toEqual({
      code: 0,
      signal: null,
      stdout: '{"valid":true,"cameras":1}\n',
      stderr: '',
    });
    expect(await runCli(['check', file])).toMatchObject({ code: 0, stdout: `${file}: valid, 1 camera\n` });
  });

  it('names every problem with exit code 2', async () => {
    const file = write('bad.yaml', 'polcy: {}\nserver:\n  port: x\n');
    const json = await runCli(['check', file, '--json']);
    expect(json).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual({
      valid: false,
      problems: [
        { path: 'polcy', message: 'unknown key', hint: 'did you mean policy?', line: 1 },
        { path: 'server.port', message: 'must be a number, is "x"', line: 3 },
      ],
    });
    const plain = await runCli(['check', file]);
    expect(plain.code).toBe(2);
    expect(plain.stdout).toBe(
      `${file}:1: polcy: unknown key\n  hint: did you mean policy?\n${file}:3: server.port: must be a number, is "x"\n`,
    );
  });

  it('says that there is no file', async () => {
    const { code, stdout, stderr } = await runCli(['check', join(folder, 'none.yaml'), '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CONFIG_NOT_FOUND' } });
  });
});

describe('maskwatch models', () => {
  it('lists and verifies the models that ship', async () => {
    const list = await runCli(['models', 'list', '--json']);
    const { models } = JSON.parse(list.stdout) as { models: { name: string; sizeBytes: number }[] };
    expect(models.map((model) => model.name)).toContain('yunet-n');
    const verify = await runCli(['models', 'verify', '--json']);
    expect(verify.code).toBe(0);
    expect(JSON.parse(verify.stdout)).toMatchObject({ ok: true });
  });

  it('names what differs, with exit code 1', async () => {
    const { cpSync, mkdirSync } = await import('node:fs');
    const models = join(folder, 'models');
    mkdirSync(models);
    cpSync(new URL('../../models/yunet-n', import.meta.url), join(models, 'yunet-n'), { recursive: true });
    writeFileSync(join(models, 'yunet-n', 'model.onnx'), 'not a model');
    mkdirSync(join(models, 'empty'));
    const { code, stdout } = await runCli(['models', 'verify', '--dir', models, '--json']);
    expect(code).toBe(1);
    const result = JSON.parse(stdout) as {
      models: { name: string; problems: { file: string; problem: string }[] }[];
    };
    expect(result.models.map(({ name, problems }) => [name, problems.map(({ problem }) => problem)])).toEqual(
      [
        ['empty', ['manifest']],
        ['yunet-n', ['size']],
      ],
    );
  });
});

describe('maskwatch token', () => {
  const secret = 's3cret-'.repeat(6);
  const env = { MW_SECRET: secret };
  const text =
    'cameras: [{ id: door, url: "rtsp://h/1" }]\nserver: { auth: { secret: { env: MW_SECRET } } }\n';

  it('signs with the key of the configuration', async () => {
    const file = write('auth.yaml', text);
    const result = await runCli(
      ['token', '--config', file, '--subject', 'ann', '--cameras', 'door', '--expires', '12h'],
      { env },
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const { payload } = await jwtVerify(result.stdout.trim(), new TextEncoder().encode(secret));
    expect(payload).toMatchObject({ sub: 'ann', cameras: ['door'] });
    expect(payload.exp! - payload.iat!).toBe(12 * 3600);
  });

  it.each([
    [['--cameras', 'dor'], 'CLI_USAGE'],
    [['--cameras', 'all', '--expires', 'soon'], 'CLI_USAGE'],
    [['--cameras', ' , '], 'CLI_USAGE'],
  ])('refuses %j', async (args, code) => {
    const file = write('auth.yaml', text);
    const result = await runCli(['token', '-c', file, '--subject', 'ann', ...args, '--json'], { env });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code } });
  });

  it('names the variable that is missing', async () => {
    const file = write('auth.yaml', text);
    const result = await runCli(['token', '-c', file, '--subject', 'ann', '--cameras', 'all', '--json']);
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stderr)).toMatchObject({
      error: {
        code: 'CONFIG_INVALID',
        path: 'server.auth.secret',
        message: expect.stringContaining('MW_SECRET'),
      },
    });
  });
});
