import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { footageCameras } from '../../../src/demo/demo-cameras.js';
import { demoConfig } from '../../../src/demo/demo-config.js';

describe('footageCameras', () => {
  it('plays clips that are there, under unique names', () => {
    const cameras = footageCameras(9);
    expect(new Set(cameras.map(({ id }) => id)).size).toBe(9);
    for (const { file } of cameras) expect(existsSync(file)).toBe(true);
  });

  it('leaves out what was not asked for', () => {
    const ids = footageCameras(3, ['entrance', 'corridor']).map(({ id }) => id);
    expect(ids).toEqual(['entrance', 'corridor', 'entrance-2']);
  });
});

describe('demoConfig', () => {
  it('keeps the password out of everything that prints it', () => {
    const config = demoConfig({
      cameras: [{ id: 'a', name: 'A', url: 'rtsp://127.0.0.1:1/a' }],
      credentials: { username: 'u', password: 'p@ss' },
      port: 0,
      rateFps: 10,
    });
    expect(JSON.stringify(config)).not.toContain('p@ss');
    expect(config.cameras[0]?.password?.reveal()).toBe('p@ss');
    expect(config.analysis.rateFps).toBe(10);
    expect(config.store.path).toBe(':memory:');
  });
});
