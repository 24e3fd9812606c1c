import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CameraServer } from './camera-servers.js';

export interface Owners extends AsyncDisposable {
  /** Starts one; everything that it starts inherits `variables`. */
  start(
    server: CameraServer,
    ffmpegPath: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<ChildProcess>;
}

/** What the guardian calls; setpriv is not among it. */
const PROGRAMS_WITHOUT_SETPRIV = ['sh', 'grep', 'sleep', 'ps'];

export async function openOwners(options: {
  kind: 'service' | 'cameras';
  keeper: 'kernel' | 'guardian';
}): Promise<Owners> {
  const folder = await mkdtemp(join(tmpdir(), 'maskwatch-orphans-'));
  const path = options.keeper === 'kernel' ? process.env.PATH : await pathWithoutSetpriv(folder);
  const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  return {
    async start(server, ffmpegPath, variables) {
      // JSON is YAML; the password is that of simulated cameras on loopback.
      const config = {
        cameras: server.cameras,
        ingest: { ffmpegPath },
        inference: { engine: 'onnxruntime', workers: 1, maxBatch: 1 },
        ...{ server: { port: 0 }, store: { path: ':memory:' }, logging: { level: 'error' } },
      };
      const file = join(folder, 'cameras.yaml');
      await writeFile(file, JSON.stringify(config));
      const args =
        options.kind === 'service'
          ? [script('../../src/main.ts'), 'serve', '--config', file]
          : [script('camera-owner.ts'), file];
      return spawn(process.execPath, ['--import', 'tsx', ...args], {
        env: { ...process.env, PATH: path, ...variables },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A PATH with these and nothing else, made in `folder`. */
export async function pathWithoutSetpriv(folder: string): Promise<string> {
  const programs = join(folder, 'programs');
  await mkdir(programs);
  for (const name of PROGRAMS_WITHOUT_SETPRIV) {
    const found = (process.env.PATH ?? '').split(delimiter).find((part) => existsSync(join(part, name)));
    if (found) await symlink(join(found, name), join(programs, name));
  }
  return programs;
}
