import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/errors.js';
import { cameraLog, createLog } from '../../../src/observability/logging.js';
import { redact, redactText } from '../../../src/observability/redaction.js';

function capture(format: 'json' | 'pretty' = 'json') {
  const written: string[] = [];
  const log = createLog({
    level: 'debug',
    format,
    destination: { write: (line: string) => written.push(line) },
  });
  return { log, text: () => written.join(''), records: () => written.map((line) => JSON.parse(line)) };
}

describe('log', () => {
  it('writes one JSON object a line, with the camera on each', () => {
    const { log, records } = capture();
    cameraLog(log, 'gate').warn({ delayMs: 5 }, 'stalled');
    expect(records()).toMatchObject([{ level: 'warn', cameraId: 'gate', delayMs: 5, msg: 'stalled' }]);
    expect(records()[0].time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('never shows a secret, wherever it stands', () => {
    const { log, text, records } = capture();
    const error = new AppError('CAMERA_REFUSED', 'cannot open rtsp://admin:hunter2@10.0.0.5/live', {
      cause: new Error('rtsp://admin:hunter2@10.0.0.5/live: 401'),
    });
    log.error({ err: error }, 'failed on rtsp://admin:hunter2@10.0.0.5/live');
    log.info({ url: 'rtsp://admin:hunter2@cam/1', options: { nested: [{ password: 'hunter2' }] } });
    log.info('argument %s', 'rtsp://admin:hunter2@cam/1');
    log.child({ password: 'hunter2', source: 'rtsp://u:hunter2@cam' }).info('child');
    log.info(error);
    expect(text()).not.toContain('hunter2');
    expect(records()[0]).toMatchObject({
      err: { code: 'CAMERA_REFUSED', message: 'cannot open rtsp://***@10.0.0.5/live' },
      msg: 'failed on rtsp://***@10.0.0.5/live',
    });
  });

  it('is readable on a terminal, and as silent on secrets', async () => {
    const { log, text } = capture('pretty');
    log.info({ url: 'rtsp://a:hunter2@cam/1' }, 'opened');
    await expect.poll(text).toContain('opened');
    expect(text()).not.toContain('hunter2');
    expect(text()).not.toMatch(/^\{/);
  });
});

describe('redaction', () => {
  it.each([
    ['rtsp://user:pa:ss@host:554/a?b=c', 'rtsp://***@host:554/a?b=c'],
    ['rtsp://user@host/a', 'rtsp://***@host/a'],
    ['rtsp://user:p@ss/w?rd#x@host/a', 'rtsp://***@host/a'],
    ['RTSPS://u:p@host: timed out', 'RTSPS://***@host: timed out'],
    ['two: http://a:b@c http://d:e@f', 'two: http://***@c http://***@f'],
    ['Authorization: Bearer abcdefgh12345', 'Authorization: Bearer ***'],
    ['url?user=x&password=hunter2&a=1', 'url?user=x&password=***&a=1'],
    ['token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl', 'token=***'],
    ['http://127.0.0.1:8080/ is ready', 'http://127.0.0.1:8080/ is ready'],
    ['write to ann@example.org', 'write to ann@example.org'],
  ])('of %s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it('does not follow cycles, print pixels, or change what it is given', () => {
    const cycle: Record<string, unknown> = { token: 'x', pixels: new Uint8Array(1000) };
    cycle.self = cycle;
    const result = JSON.stringify(redact(cycle));
    expect(result.length).toBeLessThan(1000);
    expect(result).toContain('[1000 bytes]');
    expect(cycle.token).toBe('x');
  });
});
