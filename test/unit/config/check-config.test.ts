import { describe, expect, it } from 'vitest';
import { type ConfigProblem, checkConfig } from '../../../src/config/load-config.js';

function problems(text: string, env: Record<string, string> = {}): ConfigProblem[] {
  const result = checkConfig(text, { file: '/nowhere/maskwatch.yaml', env });
  return result.valid ? [] : result.problems;
}

const camera = (lines = '', url = 'rtsp://10.0.0.1/live') =>
  `cameras:\n  - id: door\n    url: "${url}"\n${lines}`;

describe('a valid configuration', () => {
  it('counts its cameras', () => {
    expect(checkConfig(camera(), { file: 'a.yaml' })).toEqual({ valid: true, cameras: 1 });
  });

  it('may have keys and sections without a value', () => {
    expect(problems('cameras:\nanalysis:\ndetection:\n  model:\n')).toEqual([]);
  });

  it('may merge one mapping into several cameras', () => {
    const text = `cameras:\n  - &a { id: a, url: "rtsp://h/1", transport: udp }\n  - { <<: *a, id: b }\n`;
    expect(problems(text)).toEqual([]);
  });
});

describe('unknown keys', () => {
  it.each([
    ['polcy: {}', 'polcy', 'did you mean policy?', 1],
    [
      'detection:\n  score_threshold: 0.4',
      'detection.score_threshold',
      'did you mean detection.scoreThreshold?',
      2,
    ],
    [camera('    pasword: x'), 'cameras[0].pasword', 'did you mean cameras[0].password?', 4],
    ['rateFps: 5', 'rateFps', 'did you mean analysis.rateFps?', 1],
    ['server:\n  auth: { secrit: "x" }', 'server.auth.secrit', 'did you mean server.auth.secret?', 2],
  ])('names the nearest key for %j', (text, path, hint, line) => {
    expect(problems(text)).toContainEqual({ path, message: 'unknown key', hint, line });
  });

  it('lists what there is when nothing is near', () => {
    expect(problems('store:\n  zzzzzzzzzzzz: 1')[0]?.hint).toBe(
      'the keys here are path; the nearest is path',
    );
  });
});

describe('values', () => {
  it.each([
    ['detection:\n  widthPx: 650', 'detection.widthPx', 'must be a multiple of 32, is 650'],
    ['server:\n  port: 70000', 'server.port', 'must be at most 65535'],
    ['policy:\n  openThreshold: "0.5"', 'policy.openThreshold', 'must be a number, is "0.5"'],
    ['logging:\n  level: inf', 'logging.level', /must be one of trace.*is "inf"/],
    [camera('    enabled: yes'), 'cameras[0].enabled', 'must be true or false, is "yes"'],
    ['cameras:\n  - id: a', 'cameras[0].url', 'is missing'],
    ['policy:\n  timeZone: Mars/Base', 'policy.timeZone', /time zone/],
    ['server:\n  corsOrigins: ["https://a.example/path"]', 'server.corsOrigins[0]', /origin/],
    [
      'policy:\n  zones: [{ id: z, polygon: [[0, 0], [1, 1]] }]',
      'policy.zones[0].polygon',
      'must be at least 3 items long',
    ],
  ])('are told with path and rule: %j', (text, path, message) => {
    expect(problems(text)).toContainEqual(
      expect.objectContaining({
        path,
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      }),
    );
  });

  it('are all told at once, in the order of the file', () => {
    const text = `server: { port: -1 }\nanalyses: {}\n${camera('    transport: tpc')}\nlogging: { format: x }`;
    expect(problems(text).map((problem) => problem.path)).toEqual([
      'server.port',
      'analyses',
      'cameras[0].transport',
      'logging.format',
    ]);
  });
});

describe('rules between keys', () => {
  it.each([
    ['policy: { closeThreshold: 0.8 }', ['policy.closeThreshold']],
    ['policy: { openThreshold: 0.3 }', ['policy.openThreshold']],
    ['policy: { openThreshold: 0.9, closeThreshold: 0.85 }', []],
    [
      `policy: { openThreshold: 0.6 }\n${camera('    policy: { closeThreshold: 0.7 }')}`,
      ['cameras[0].policy.closeThreshold'],
    ],
    [
      `policy: { closeThreshold: 0.7 }\n${camera('    policy: { openThreshold: 0.6 }')}`,
      ['cameras[0].policy.openThreshold'],
    ],
    [camera('    policy: { graceSeconds: 4 }'), []],
    ['detection: { lowScoreThreshold: 0.6 }', ['detection.lowScoreThreshold']],
    ['detection: { scoreThreshold: 0.1 }', ['detection.scoreThreshold']],
    ['ingest: { backoffMinSeconds: 40 }', ['ingest.backoffMinSeconds']],
    [`${camera()}  - { id: door, url: "rtsp://h/2" }`, ['cameras[1].id']],
    [
      'policy: { zones: [{ id: a, polygon: &p [[0,0],[1,0],[1,1]] }, { id: a, polygon: *p }] }',
      ['policy.zones[1].id'],
    ],
    ['policy: { zones: [{ id: a, polygon: [[0.1,0.1],[0.2,0.2],[0.3,0.3]] }] }', ['policy.zones[0].polygon']],
    ['policy: { schedule: [{ from: "08:00", to: "08:00" }] }', ['policy.schedule[0].to']],
    ['server: { host: 0.0.0.0 }', ['server.host']],
    ['server: { host: "::1" }', []],
    ['server: { host: 127.0.0.2 }', []],
    [camera('    password: x'), ['cameras[0].password']],
    [camera('    loop: true'), ['cameras[0].loop']],
  ])('%s', (text, paths) => {
    expect(problems(text).map((problem) => problem.path)).toEqual(paths);
  });

  it('are checked although the schema is broken elsewhere', () => {
    expect(problems('policy: { closeThreshold: 0.9 }\nstore: 3').map((problem) => problem.path)).toEqual([
      'policy.closeThreshold',
      'store',
    ]);
  });
});

describe('addresses of cameras', () => {
  it.each([
    'rtsp://admin:secret@10.0.0.1/live',
    'rtsp://admin@10.0.0.1/live',
    'rtsp://admin:p@ss@10.0.0.1/live',
    'rtsp://admin:p/a#b@10.0.0.1/live',
    'http://u:p@cam.example/stream',
  ])('%s has credentials in it', (url) => {
    const [problem, ...others] = problems(camera('', url));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ path: 'cameras[0].url', message: 'has a user or password in it' });
    expect(problem?.hint).toMatch(/username and password/);
  });

  it.each([
    ['rtmp://h/x', /rtmp: is not supported/],
    ['rstp://h/x', /not supported/],
    ['10.0.0.1/live', /no scheme/],
    ['cam.local:554/live', /no scheme/],
    ['rtsp:/h/x', /complete address/],
    ['rtsp://', /complete address/],
    ['file:', /names no file/],
    ['file:missing.mp4', /no such file/],
  ])('%s is refused', (url, message) => {
    expect(problems(camera('', url))).toEqual([
      expect.objectContaining({ path: 'cameras[0].url', message: expect.stringMatching(message) }),
    ]);
  });

  it.each([
    'rtsp://10.0.0.1:554/Streaming/Channels/101',
    'rtsp://[fe80::1]:554/x?a=b@c',
    'https://cam.example/live.m3u8?token=a:b@c',
    'rtsps://cam.example/x',
  ])('%s is taken', (url) => {
    expect(problems(camera('', url))).toEqual([]);
  });
});

describe('secrets', () => {
  it('names the variable that is not set, and the file that is not there', () => {
    const text = `${camera('    username: u\n    password: { env: DOOR_PASSWORD }')}\nserver: { auth: { secret: { file: key } } }`;
    expect(problems(text)).toEqual([
      expect.objectContaining({
        path: 'cameras[0].password',
        message: 'the environment variable DOOR_PASSWORD is not set',
      }),
      expect.objectContaining({
        path: 'server.auth.secret',
        message: 'the secret file /nowhere/key does not exist',
      }),
    ]);
  });

  it('wants keys of 32 characters', () => {
    const text = 'server: { auth: { secret: { env: KEY } } }';
    expect(problems(text, { KEY: 'x'.repeat(31) })).toEqual([
      expect.objectContaining({ path: 'server.auth.secret', message: 'must be at least 32 characters long' }),
    ]);
    expect(problems(text, { KEY: 'x'.repeat(32) })).toEqual([]);
  });

  it('never stand in a message', () => {
    const secret = 'hunter2-hunter2';
    for (const text of [
      camera(`    username: u\n    password: [${secret}]`),
      camera(`    username: u\n    password: { env: { x: ${secret} } }`),
      camera('', `rtsp://u:${secret}@h/x`),
      camera(`    username: u\n    password: *${secret}`),
      camera(`    username: u\n    password: !${secret} x`),
      camera(`    username: u\n    password: @${secret}`),
      camera(`    username: u\n    password: "${secret}`),
      `server: { auth: { secret: ${secret} } }`,
    ]) {
      const found = problems(text);
      expect(found.length, text).toBeGreaterThan(0);
      expect(JSON.stringify(found)).not.toContain(secret);
    }
  });
});

describe('files that are not what they should be', () => {
  it.each([
    ['', /empty/, undefined],
    ['# nothing\n', /empty/, undefined],
    ['- a\n', /is a list/, 1],
    ['words', /single value/, 1],
    ['cameras: []\ncameras: []', /stands twice/, 2],
    ['analysis:\n\trateFps: 5', /tab/, 2],
    ['analysis: {rateFps: 5', /not valid YAML/, 1],
    ['store:\n  path: @x', /reserves/, 2],
    ['a: 1\n---\nb: 2', /second document/, 2],
  ])('%j', (text, message, line) => {
    const [problem] = problems(text);
    expect(problem?.message).toMatch(message);
    expect(problem?.line).toBe(line);
  });
});
